# What `nix flake check` builds and evaluates.
{ pkgs }:
{
  package = pkgs.callPackage ./package.nix { };
}
