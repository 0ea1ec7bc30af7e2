# Every key of cards and of the configuration is an option, and arrives.
{
  evaluate,
  lib,
  machines,
  ...
}:
let
  cfg = machines.every-key.config.services.agent-spawn;

  # Keys that are null in each of some values of one kind, sets within sets and lists included.
  unset =
    values:
    let
      names = lib.unique (lib.concatMap lib.attrNames values);
      ofName =
        name:
        let
          given = lib.filter (value: value != null) (lib.catAttrs name values);
          sets = lib.filter lib.isAttrs (lib.flatten given);
        in
        if given == [ ] then [ name ] else map (inner: "${name}.${inner}") (unset sets);
    in
    lib.concatMap ofName names;

  documented = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList (evaluate { }).options.services.agent-spawn
  );
  # A key of a card or of an entry that must be there has no default.
  required = [
    "agent_id"
    "address"
    "host"
    "port"
    "provider"
  ];
in
{
  "every key of a card is set in one of the cards with all keys" =
    unset (lib.attrValues cfg.agents) == [ ];
  "every key of the configuration is set in the one with all keys" = unset [ cfg.settings ] == [ ];
  "each option has a type, an example and a description" = lib.all (
    option: option.type != "" && option ? example && option.description or "" != ""
  ) documented;
  "each option has a default, unless it must be there" = lib.all (
    option: option ? default || lib.elem (lib.last option.loc) required
  ) documented;
}
