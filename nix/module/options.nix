{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.agent-spawn;
  configOptions = import ./config.gen.nix { inherit lib; };
in
{
  options.services.agent-spawn = {
    enable = lib.mkEnableOption "agent-spawn, which confines AI coding agents";

    package = lib.mkPackageOption pkgs "agent-spawn" {
      example = "pkgs.agent-spawn.override { nodejs = pkgs.nodejs_24; }";
    };

    settings = mkOption {
      type = types.submodule {
        freeformType = (pkgs.formats.json { }).type;
        options = configOptions;
      };
      default = { };
      example = {
        log_level = "debug";
        uid_first = 1800000000;
      };
      description = ''
        Configuration of the daemon, {file}`/etc/agent-spawn/config.json`, in its own spelling.
        What is `null` is left out, so that the daemon's own default holds. `agent-spawnd --check`
        judges the file while the system is built.
      '';
    };

    agents = mkOption {
      type = types.attrsOf (types.submodule (import ./agents.nix { inherit cfg lib; }));
      default = { };
      example = literalExpression ''
        {
          reviewer = {
            agent = "claude-code";
            api_key_file = "/run/secrets/anthropic-key";
            autostart = true;
          };
        }
      '';
      description = ''
        Agents of this machine. Each one is a card of the same name, in the card's own spelling; a
        name has lower-case letters, digits and inner hyphens, 1 to 48 characters. `agentctl check`
        judges every card while the system is built, so that a wrong one fails the build. An agent
        that runs is restarted when its card has changed, and only then.
      '';
    };

    agentsDir = mkOption {
      type = types.path;
      default = "/mnt/agents";
      example = "/srv/agents";
      description = ''
        Directory that the workspaces of agents are in which name no other:
        {option}`services.agent-spawn.agents.<name>.workspace` is {file}`NAME` below it.
      '';
    };

    cardsDir = mkOption {
      type = types.path;
      default = "/etc/agents";
      example = "/srv/agents/cards";
      description = ''
        Directory that the daemon reads cards from. Declared agents are links in it; cards that
        somebody writes there by hand hold beside them.
      '';
    };

    proxy = mkOption {
      type = configOptions.proxy.type;
      default = null;
      example = "http://10.100.1.1:3128";
      description = ''
        HTTP proxy of the network that the traffic of every agent is handed on to whose card names
        none. The same as {option}`services.agent-spawn.settings.proxy`.
      '';
    };

    group = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "agent-callers";
      description = ''
        Group whose members may call the API, that is start, stop and inspect agents with
        {command}`agent-spawn` and {command}`agentctl`. Whoever may do that decides which files of
        the machine an agent sees and as whom it runs: **membership is equal to root.** The group is
        made when nobody else declares it. {command}`agentctl logs` needs the group
        `systemd-journal`, too. `null`: root alone.
      '';
    };

    credentials = mkOption {
      type = types.attrsOf types.path;
      default = { };
      example = {
        anthropic-key = "/run/secrets/anthropic-key";
      };
      description = ''
        Secrets that systemd hands to the daemon (`LoadCredential=`): the name of each, and the
        file of the machine that holds it. A card names one as `credential:NAME`. The daemon gets
        them when it starts: a file that is missing then keeps it from starting, and a changed one
        needs {command}`systemctl restart agent-spawnd`, which no agent notices.
      '';
    };
  };
}
