# Cards of a JSON file as values of the options: those that come out changed, or not at all.
{
  nixpkgs ? <nixpkgs>,
  cards,
}:
let
  lib = import (nixpkgs + "/lib");
  inherit (import ../../nix/lib/card.nix) render;
  options = import ../../nix/module/card.gen.nix { inherit lib; };
  outcomeOf =
    card:
    let
      machine = lib.evalModules {
        modules = [
          { inherit options; }
          { config = card; }
        ];
      };
      value = builtins.tryEval (builtins.deepSeq machine.config (render machine.config));
    in
    if value.success then value.value else "refused";
in
builtins.filter ({ card, outcome }: card != outcome) (
  map (card: {
    inherit card;
    outcome = outcomeOf card;
  }) (builtins.fromJSON (builtins.readFile cards))
)
