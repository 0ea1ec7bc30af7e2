# Each module of a directory as a machine of its own: what is wrong with it, what its user is told,
# and its cards.
{
  nixpkgs ? <nixpkgs>,
  directory ? ../../nix/examples,
}:
let
  lib = import (nixpkgs + "/lib");
  pkgs = import nixpkgs { overlays = [ (import ../../nix/overlay.nix) ]; };
  evaluate = import ../../nix/evaluation/machine.nix { inherit lib nixpkgs pkgs; };

  observe =
    { config, ... }:
    let
      isCard = name: lib.hasInfix "agent" name && lib.hasSuffix ".json" name && !isSettings name;
      isSettings = name: name == "agent-spawn/config.json";
      idOf = name: lib.removeSuffix ".json" (baseNameOf name);
    in
    {
      refusals = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
      warnings = lib.filter (lib.hasInfix "agent-spawn") config.warnings;
      cards = lib.mapAttrs' (name: file: lib.nameValuePair (idOf name) file.source.value) (
        lib.filterAttrs (name: _: isCard name) config.environment.etc
      );
      settings = config.environment.etc."agent-spawn/config.json".source.value;
      credentials = config.systemd.services.agent-spawnd.serviceConfig.LoadCredential or [ ];
      system = builtins.unsafeDiscardStringContext config.system.build.toplevel.drvPath;
    };
in
lib.mapAttrs (
  file: _:
  observe (evaluate {
    imports = [
      ./secret-tools.nix
      (directory + "/${file}")
      { services.agent-spawn.enable = true; }
    ];
  })
) (builtins.readDir directory)
