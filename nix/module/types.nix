# What the generated options are made with.
{ lib }:
let
  inherit (lib) types;
in
{
  # A text that matches a pattern and has so many characters at most; the description is what it is
  # called when it is refused.
  text =
    {
      description,
      pattern,
      longest,
    }:
    types.addCheck (types.strMatching pattern) (value: lib.stringLength value <= longest)
    // {
      inherit description;
      descriptionClass = "noun";
    };

  # A text, or a set of options that says more. A plain submodule would take the text for the name
  # of a file, and either alone would leave its options out of the manual.
  textOr =
    text: options:
    let
      set = types.addCheck (types.submodule { inherit options; }) lib.isAttrs;
    in
    types.either text set // { inherit (set) getSubOptions; };
}
