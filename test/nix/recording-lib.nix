# Stands in for the lib of nixpkgs where there is none: each type says what it was made with, and
# judges a value as far as a single text goes.
let
  type = shape: check: { inherit shape check; };
  around = name: inner: type { ${name} = inner.shape; } (_: true) // { inner = inner; };
in
{
  inherit (builtins) isAttrs stringLength;

  mkOption =
    { type, ... }@option:
    type
    // {
      shape =
        if option ? default then
          {
            optional = type.shape;
            inherit (option) default;
          }
        else
          type.shape;
    };

  types = {
    str = type "text" builtins.isString;
    bool = type "boolean" builtins.isBool;
    enum = values: type { one = values; } (value: builtins.elem value values);
    ints.between = least: most: type { inherit least most; } builtins.isInt;
    strMatching =
      pattern: type "text" (value: builtins.isString value && builtins.match pattern value != null);
    addCheck = inner: check: inner // { check = value: inner.check value && check value; };

    nullOr = inner: around "null or" inner // { isOptional = true; };
    listOf = around "list";
    nonEmptyListOf = around "list, not empty";
    attrsOf = around "map";
    either =
      text: set:
      set
      // {
        shape = [
          text.shape
          set.shape
        ];
        inherit text;
      };
    submodule =
      { options }:
      type { keys = builtins.mapAttrs (_: option: option.shape) options; } (_: true)
      // {
        inherit options;
        getSubOptions = _: options;
      };
  };
}
