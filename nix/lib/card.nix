# Agents as options and cards as their files say them. Builtins only.
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    isAttrs
    isList
    isPath
    listToAttrs
    match
    stringLength
    ;

  # Whether a text is an agent id, as the schema of cards has it.
  isId = name: stringLength name <= 48 && match "[a-z0-9]([a-z0-9-]*[a-z0-9])?" name != null;

  # The agents that get a card. Others have no say in what is built, so that the refusal of a name
  # is what one sees.
  declared =
    agents:
    removeAttrs agents (filter (name: !(isId name && agents.${name}.enable)) (attrNames agents));

  # Their cards, by the same names.
  cardsOf =
    agents:
    builtins.mapAttrs (_: agent: render (removeAttrs agent [ "enable" ])) (declared agents);

  # A key that is null is an absent one. A path literal is its own text: Nix would copy the file to
  # the store instead. A package is its place there.
  render =
    value:
    if isPath value || value ? outPath then
      toString value
    else if isAttrs value then
      listToAttrs (
        map (name: {
          inherit name;
          value = render value.${name};
        }) (filter (name: value.${name} != null) (attrNames value))
      )
    else if isList value then
      map render value
    else
      value;

  # Keys of a card that name a file with a secret: { key, file } each, the key as an option is named
  # below its agent.
  secretFiles =
    card:
    let
      named = prefix: set: keys: concatMap (key: one "${prefix}${key}" (set.${key} or null)) keys;
      one = key: file: if file == null then [ ] else [ { inherit key file; } ];
      credentials = card.credentials or null;
      listed = if credentials == null then [ ] else credentials;
    in
    named "" card [
      "api_key_file"
      "proxy_credentials_file"
    ]
    ++ builtins.concatLists (
      builtins.genList (
        i: named "credentials[${toString i}]." (builtins.elemAt listed i) [ "api_key_file" ]
      ) (builtins.length listed)
    );
in
{
  inherit
    isId
    declared
    cardsOf
    render
    secretFiles
    ;
}
