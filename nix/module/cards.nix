# Declared agents become cards, and the settings the daemon's configuration; both are judged while the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkIf mkOption types;
  inherit (import ../lib/card.nix) render;
  cfg = config.services.agent-spawn;
  format = pkgs.formats.json { };
  runnable = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;

  judged =
    {
      name,
      value,
      command,
      option,
    }:
    let
      file = format.generate name (render value);
    in
    pkgs.runCommandLocal name { inherit file; } (
      if runnable then
        ''
          ${command} --as ${lib.escapeShellArg option} "$file"
          cp "$file" "$out"
        ''
      else
        ''
          echo "${option} is not judged: this machine cannot run the programs of the one it is built for." >&2
          cp "$file" "$out"
        ''
    );
in
{
  options.services.agent-spawn = {
    build = mkOption {
      type = types.submodule {
        options = {
          config = mkOption {
            type = types.package;
            readOnly = true;
            description = "The daemon's configuration, judged.";
          };
          cards = mkOption {
            type = types.attrsOf types.package;
            readOnly = true;
            description = "The card of each agent, judged; by agent id.";
          };
        };
      };
      internal = true;
      default = { };
      description = "What is built of the options above.";
    };
  };

  config = mkIf cfg.enable {
    services.agent-spawn = {
      build = {
        config = judged {
          name = "config.json";
          value = cfg.settings;
          command = "${cfg.package}/bin/agent-spawnd --check";
          option = "services.agent-spawn.settings";
        };
        cards = lib.mapAttrs' (
          name: agent:
          lib.nameValuePair agent.agent_id (judged {
            name = "${agent.agent_id}.json";
            value = removeAttrs agent [ "enable" ];
            command = "${cfg.package}/bin/agentctl check --offline --declared";
            option = "services.agent-spawn.agents.${name}";
          })
        ) (lib.filterAttrs (_: agent: agent.enable) cfg.agents);
      };

      settings = {
        cards_dir = toString cfg.cardsDir;
        proxy = mkIf (cfg.proxy != null) cfg.proxy;
        restart_changed = lib.mkDefault true;
      };
    };
  };
}
