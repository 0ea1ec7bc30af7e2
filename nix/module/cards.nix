# Declared agents become cards, and the settings the daemon's configuration. Both are judged while
# the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) hasPrefix mapAttrs' nameValuePair;
  inherit (import ../lib/card.nix) declared render;
  cfg = config.services.agent-spawn;
  format = pkgs.formats.json { };
  runnable = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;

  # The file of a value, once a program of the package has nothing against it. `command` gets the
  # file as its last word, by the name that it will have: the store puts a hash before it.
  judged =
    {
      name,
      value,
      command,
      option,
    }:
    let
      file = format.generate name (render value);
      words = lib.escapeShellArgs (
        command
        ++ [
          "--as"
          option
        ]
      );
      note = "${option} is not judged: this machine cannot run the programs of the other one.";
    in
    pkgs.runCommandLocal name { } ''
      file=${lib.escapeShellArg name}
      cp ${file} "$file"
      ${if runnable then ''${words} "$file"'' else "echo ${lib.escapeShellArg note} >&2"}
      mv "$file" $out
    '';

  cards = lib.mapAttrsToList (name: agent: {
    inherit (agent) agent_id;
    file = judged {
      name = "${agent.agent_id}.json";
      value = removeAttrs agent [ "enable" ];
      command = [
        "${cfg.package}/bin/agentctl"
        "check"
        "--offline"
        "--declared"
      ];
      option = lib.showOption [
        "services"
        "agent-spawn"
        "agents"
        name
      ];
    };
  }) (declared cfg.agents);

  directory = toString cfg.cardsDir;
  isInEtc = hasPrefix "/etc/" directory;
  # Elsewhere the links of tmpfiles lead here. The name of an agent that is gone then leads nowhere,
  # which is no card; tmpfiles itself removes nothing that it is no longer told of.
  etc = if isInEtc then lib.removePrefix "/etc/" directory else "agent-spawn/cards";
in
{
  config = lib.mkIf cfg.enable {
    services.agent-spawn.settings = {
      cards_dir = directory;
      proxy = lib.mkIf (cfg.proxy != null) cfg.proxy;
      restart_changed = lib.mkDefault true;
    };

    environment.etc = lib.listToAttrs (
      map ({ agent_id, file }: nameValuePair "${etc}/${agent_id}.json" { source = file; }) cards
    )
    // {
      "agent-spawn/config.json".source = judged {
        name = "config.json";
        value = cfg.settings;
        command = [
          "${cfg.package}/lib/agent-spawn/agent-spawnd.cjs"
          "--check"
        ];
        option = "services.agent-spawn.settings";
      };
    };

    systemd.tmpfiles.settings."20-agent-spawn" = {
      # Whoever can write here decides what root starts.
      ${directory}.d = {
        mode = "0750";
        user = "root";
        group = "root";
      };
      # A colon: only what is made gets these. A directory of that name may be somebody's already.
      ${toString cfg.agentsDir}.d = {
        mode = ":0755";
        user = ":root";
        group = ":root";
      };
    }
    // lib.optionalAttrs (!isInEtc) (
      lib.listToAttrs (
        map (
          { agent_id, ... }:
          nameValuePair "${directory}/${agent_id}.json" {
            "L+".argument = "/etc/${etc}/${agent_id}.json";
          }
        ) cards
      )
    );
  };
}
