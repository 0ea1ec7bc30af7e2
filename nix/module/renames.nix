# Names that earlier modules for confined agents had. Where a value is a value of one option here,
# it is taken over with a warning; the others fail with what to write.
{ lib, ... }:
let
  alias =
    module: name:
    lib.mkRenamedOptionModule (module ++ [ name ]) [
      "services"
      "agent-spawn"
      name
    ];
  removed = module: name: instead: lib.mkRemovedOptionModule (module ++ [ name ]) instead;

  # One service for one agent has become one of many agents.
  opencode = lib.mapAttrsToList (removed [ "services" "opencode-sandbox" ]) {
    enable = ''
      Write this for an agent that starts with the machine:
        services.agent-spawn.enable = true;
        services.agent-spawn.agents.opencode = { agent = "opencode"; autostart = true; };
    '';
    workDir = ''
      Write this instead, with the directory as it is:
        services.agent-spawn.agents.opencode.workspace = "/srv/opencode";
    '';
    proxy = ''
      Write this instead, or services.agent-spawn.proxy for all agents:
        services.agent-spawn.agents.opencode.proxy = "http://proxy.example.org:3128";
    '';
    user = ''
      There is nothing to write instead: an agent runs as the owner of its workspace, or as a user
      of its own when it has none yet. To keep the user, let it own the directory of
      services.agent-spawn.agents.opencode.workspace.
    '';
    apiKeyFile = ''
      Write this instead, with a file outside the Nix store that root alone can read:
        services.agent-spawn.agents.opencode.api_key_file = "/run/secrets/anthropic-key";
    '';
  };
in
{
  imports =
    map (alias [ "programs" "opencode-sandbox" ]) [
      "enable"
      "agentsDir"
      "cardsDir"
      "proxy"
    ]
    ++ map (alias [ "programs" "sandbox-runtime" ]) [
      "enable"
      "agentsDir"
      "proxy"
    ]
    ++ opencode
    ++ [
      (removed [ "services" "opencode-agent-template" ] "enable" ''
        Each agent is an option now, and a template is not needed:
          services.agent-spawn.enable = true;
          services.agent-spawn.agents.NAME = { agent = "opencode"; };
      '')
    ];
}
