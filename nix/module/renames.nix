# Names that earlier modules for sandboxed agents had: aliases where one value is one value of ours, otherwise what to write.
{ lib, ... }:
let
  inherit (lib) mkRenamedOptionModule;
  ours = [
    "services"
    "agent-spawn"
  ];
  aliases =
    module: names:
    map (name: mkRenamedOptionModule (module ++ [ name ]) (ours ++ [ name ])) names;
in
{
  imports =
    aliases [ "programs" "opencode-sandbox" ] [
      "enable"
      "agentsDir"
      "cardsDir"
      "proxy"
    ]
    ++ aliases [ "programs" "sandbox-runtime" ] [
      "enable"
      "agentsDir"
      "proxy"
    ];
}
