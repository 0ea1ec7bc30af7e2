# Cards and settings that the types of options take and the programs refuse, and one of each that
# they take. Unlike all else here these are built, with the package:
#
#   nix-build nix/evaluation/builds.nix -A refused.memory     fails, with the name of the option
#   nix-build nix/evaluation/builds.nix -A accepted
#
# refused: derivations that fail; messages: for each of them the beginning of what it says.
{
  nixpkgs ? <nixpkgs>,
  lib ? import (nixpkgs + "/lib"),
  pkgs ? import nixpkgs { },
}:
let
  package = pkgs.callPackage ../package.nix { };
  evaluate = import ./machine.nix { inherit lib nixpkgs pkgs; };

  # What one file of /etc is made of.
  fileOf =
    name: configuration:
    let
      machine = evaluate {
        services.agent-spawn = configuration // {
          enable = true;
          inherit package;
        };
      };
    in
    machine.config.environment.etc.${name}.source;
  cardOf = card: fileOf "agents/wrong.json" { agents.wrong = card; };
  settingsOf = settings: fileOf "agent-spawn/config.json" { inherit settings; };

  wrong = {
    memory = {
      file = cardOf {
        resource_limits = {
          memory_mb = 1024;
          memory_high_mb = 2048;
        };
      };
      message = "services.agent-spawn.agents.wrong.resource_limits.memory_high_mb: ";
    };
    entry = {
      file = cardOf {
        allowed_hosts = [
          "api.anthropic.com"
          "*.*.example.org"
        ];
      };
      message = "services.agent-spawn.agents.wrong.allowed_hosts[1]: ";
    };
    workspace = {
      file = cardOf { workspace = "/etc/nixos"; };
      message = "services.agent-spawn.agents.wrong.workspace: ";
    };
    variable = {
      file = cardOf { environment.HTTPS_PROXY = "http://other"; };
      message = "services.agent-spawn.agents.wrong.environment.HTTPS_PROXY: ";
    };
    # A card is judged by the settings of its machine.
    network = {
      file = cardOf { network.mode = "host"; };
      message = "services.agent-spawn.agents.wrong.network.mode: ";
    };
    setting = {
      file = settingsOf { log_levl = "debug"; };
      message = "services.agent-spawn.settings.log_levl: ";
    };
    range = {
      file = settingsOf { veth_range = "10.213.0.1/16"; };
      message = "services.agent-spawn.settings.veth_range: ";
    };
  };
in
{
  refused = lib.mapAttrs (_: { file, ... }: file) wrong;
  messages = lib.mapAttrs (_: { message, ... }: message) wrong;
  accepted = {
    card = fileOf "agents/right.json" {
      settings.allow_host_network = true;
      agents.right.network.mode = "host";
    };
    settings = settingsOf { log_level = "debug"; };
  };
}
