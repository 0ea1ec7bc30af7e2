# What the options of a file make of texts: for each entry of `samples`, a JSON file, whether the
# type of the option at `path` takes each of `values`. In a path, * is an element of a list or a
# map, and | is the text where a set may stand as well.
{ options, samples }:
let
  lib = import ./recording-lib.nix;
  declared = import options { inherit lib; };

  typeAt =
    type: path:
    if type.isOptional or false then
      typeAt type.inner path
    else if path == [ ] then
      type
    else
      let
        step = builtins.head path;
      in
      typeAt (
        if step == "*" then
          type.inner
        else if step == "|" then
          type.text
        else
          type.options.${step}
      ) (builtins.tail path);
in
{
  shape = builtins.mapAttrs (_: option: option.shape) declared;
  taken = map (
    { path, values }: map (typeAt { options = declared; } path).check values
  ) (builtins.fromJSON (builtins.readFile samples));
}
