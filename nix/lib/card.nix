# A card as its file says it: a key that is null is an absent one. Builtins only.
let
  render =
    value:
    if builtins.isAttrs value then
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = render value.${name};
        }) (builtins.filter (name: value.${name} != null) (builtins.attrNames value))
      )
    else if builtins.isList value then
      map render value
    else
      value;
in
{
  inherit render;
}
