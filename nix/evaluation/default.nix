# What the module makes of machines with agents, as values; nothing is built:
#
#   nix-instantiate --eval --strict --json nix/evaluation
#
# files: what is recorded below nix/golden, by path; checks: sentences that hold or do not; options:
# the reference of services.agent-spawn.
{
  nixpkgs ? <nixpkgs>,
  pkgs ? import nixpkgs { overlays = [ (import ../overlay.nix) ]; },
}:
let
  lib = import (nixpkgs + "/lib");
  evaluate = import ./machine.nix { inherit lib nixpkgs pkgs; };
  observe = import ./observe.nix { inherit lib; };

  machines = lib.mapAttrs (_: evaluate) (import ./machines.nix);

  # Every key of the files is the name of the machine and what it is in there.
  filesOf =
    name: machine:
    lib.mapAttrs' (path: text: lib.nameValuePair "${name}/${path}" text) (observe machine.config);
in
{
  files = lib.concatMapAttrs filesOf machines;
  checks = import ./checks.nix { inherit evaluate lib machines; };
  options = lib.optionAttrSetToDocList (evaluate { }).options.services.agent-spawn;
}
