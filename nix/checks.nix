# What `nix flake check` builds and evaluates. The virtual machines need KVM on the machine that
# builds.
{ lib, pkgs }:
let
  inherit (lib) mapAttrs' nameValuePair removeSuffix;

  machines = mapAttrs' (
    file: _:
    nameValuePair "vm-${removeSuffix ".nix" file}" (
      pkgs.testers.runNixOSTest {
        imports = [ (./tests + "/${file}") ];
        defaults.imports = [ ./flake-module.nix ];
      }
    )
  ) (builtins.readDir ./tests);
in
machines
// {
  package = pkgs.callPackage ./package.nix { };

  card-validation = pkgs.callPackage ./card-validation.nix { inherit lib; };

  module-evaluation = pkgs.callPackage ./module-evaluation.nix {
    inherit lib;
    evaluation = import ./evaluation {
      nixpkgs = pkgs.path;
      pkgs = pkgs.extend (import ./overlay.nix);
    };
  };
}
