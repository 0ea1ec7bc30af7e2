# Shows that machines with wrong cards and settings are not built, that the message is the program's
# own and names the option, and that machines with right ones are.
{
  lib,
  pkgs,
  runCommandLocal,
  testers,
}:
let
  builds = import ./evaluation/builds.nix {
    inherit lib pkgs;
    nixpkgs = pkgs.path;
  };
  said = lib.mapAttrsToList (name: file: ''
    grep -F ${lib.escapeShellArg builds.messages.${name}} \
      ${testers.testBuildFailure file}/testBuildFailure.log
  '') builds.refused;
in
runCommandLocal "card-validation" { } ''
  grep -F '"host"' ${builds.accepted.card}
  grep -F '"debug"' ${builds.accepted.settings}
  ${lib.concatStrings said}
  touch "$out"
''
