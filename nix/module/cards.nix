# Declared agents become cards, and the settings the daemon's configuration. Both are judged while
# the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mapAttrs' nameValuePair;
  inherit (import ../lib/card.nix) cardsOf render;
  inherit (import ./message.nix { inherit lib; }) agentOption;
  cfg = config.services.agent-spawn;
  format = pkgs.formats.json { };
  isRunnable = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;

  # The file of a value, once a program of the package has nothing against it. `command` lacks the
  # name of the file, which is its own there and not one of the store.
  judged =
    {
      name,
      value,
      command,
      option,
    }:
    pkgs.runCommandLocal name { passthru.value = value; } ''
      cp ${format.generate name value} ${name}
      ${
        if isRunnable then
          "${command option} ${name}"
        else
          "echo ${lib.escapeShellArg "${option} is not judged: its programs do not run here."} >&2"
      }
      cp ${name} $out
    '';

  configuration = judged {
    name = "config.json";
    value = render cfg.settings;
    command = option: "${cfg.package}/lib/agent-spawn/agent-spawnd.cjs --as ${option} --check";
    option = "services.agent-spawn.settings";
  };

  cards = mapAttrs' (
    name: card:
    nameValuePair "${card.agent_id}.json" (judged {
      name = "${card.agent_id}.json";
      value = card;
      command =
        option:
        lib.escapeShellArgs [
          "${cfg.package}/bin/agentctl"
          "check"
          "--offline"
          "--declared"
          "--config"
          configuration
          "--as"
          option
        ];
      option = agentOption name;
    })
  ) (cardsOf cfg.agents);

  directory = toString cfg.cardsDir;
  isInEtc = lib.hasPrefix "/etc/" directory;
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

    environment.etc = {
      "agent-spawn/config.json".source = configuration;
    }
    // mapAttrs' (name: card: nameValuePair "${etc}/${name}" { source = card; }) cards;

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
      mapAttrs' (
        name: _: nameValuePair "${directory}/${name}" { "L+".argument = "/etc/${etc}/${name}"; }
      ) cards
    );
  };
}
