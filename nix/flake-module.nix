# The module with a package: the one that is built from this flake, by the package set of the
# machine.
{ lib, pkgs, ... }:
{
  imports = [ ./module ];
  services.agent-spawn.package = lib.mkDefault (pkgs.callPackage ./package.nix { });
}
