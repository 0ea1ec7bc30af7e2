# The machines of every scenario, evaluated as the flake's checks do it: what is wrong with each,
# their cards, and the script that the driver of NixOS would run.
{
  nixpkgs ? <nixpkgs>,
}:
let
  lib = import (nixpkgs + "/lib");
  pkgs = import nixpkgs { };
  directory = ../../nix/tests;

  idOf = name: lib.removeSuffix ".json" (baseNameOf name);
  observe =
    { config, ... }:
    {
      inherit (config) name;
      script = config.testScriptString;
      machines = lib.mapAttrs (_: node: {
        refusals = map (one: one.message) (lib.filter (one: !one.assertion) node.assertions);
        system = builtins.unsafeDiscardStringContext node.system.build.toplevel.drvPath;
        cards = lib.mapAttrs' (name: file: lib.nameValuePair (idOf name) file.source.value) (
          lib.filterAttrs (name: _: lib.hasPrefix "agents/" name) node.environment.etc
        );
      }) config.nodes;
    };
in
lib.mapAttrs (
  file: _:
  observe (
    (import (nixpkgs + "/nixos/lib") { inherit lib; }).evalTest {
      imports = [ (directory + "/${file}") ];
      defaults.imports = [ ../../nix/flake-module.nix ];
      hostPkgs = pkgs;
      node.pkgs = pkgs;
    }
  )
) (builtins.readDir directory)
