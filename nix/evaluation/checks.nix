# Sentences about evaluated machines, each with whether it holds. Nothing is built for them.
{
  evaluate,
  lib,
  machines,
  ...
}:
let
  parts = {
    inherit
      evaluate
      lib
      machines
      ;
  };
in
import ./checks/messages.nix parts
// import ./checks/keys.nix parts
// import ./checks/wrong-cards.nix parts
// import ./checks/switches.nix parts
