# A machine with the module and a configuration of its own, evaluated. What has nothing to do with
# agents (kernel, boot loader, network) is kept out: it would cost time and be recorded for nothing.
{
  lib,
  nixpkgs,
  pkgs,
}:
configuration:
import (nixpkgs + "/nixos/lib/eval-config.nix") {
  inherit lib;
  system = null;
  modules = [
    ../module
    configuration
    {
      nixpkgs.pkgs = pkgs;
      boot.isContainer = true;
      documentation.enable = false;
      networking.useDHCP = false;
      system.stateVersion = lib.mkDefault lib.trivial.release;
    }
  ];
}
