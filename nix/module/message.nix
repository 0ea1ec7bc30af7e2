# How the module speaks of its options.
{ lib }:
let
  # An option of a set whose names are free, as it is written.
  named =
    set: name:
    lib.showOption [
      "services"
      "agent-spawn"
      set
      name
    ];
in
{
  agentOption = named "agents";
  credentialOption = named "credentials";

  # A text of several lines as one, since the names in it are as long as somebody made them.
  say = text: lib.concatStringsSep " " (lib.filter (line: line != "") (lib.splitString "\n" text));
}
