# Shows that a machine with a wrong card is not built, that the message is the validator's own and
# names the option, and that the same machine with a right one is.
{
  lib,
  pkgs,
  runCommandLocal,
  testers,
}:
let
  evaluate = import ./evaluation/machine.nix {
    inherit lib pkgs;
    nixpkgs = pkgs.path;
  };
  cardOf =
    agent:
    (evaluate {
      services.agent-spawn = {
        enable = true;
        package = pkgs.callPackage ./package.nix { };
        agents.reviewer = agent;
      };
    }).config.environment.etc."agents/reviewer.json".source;

  agent = {
    agent = "claude-code";
    api_key_file = "/run/secrets/anthropic";
  };
  # Each value is one of its type's; they contradict each other.
  wrong = agent // {
    network.mode = "none";
  };
in
runCommandLocal "card-validation"
  {
    card = cardOf agent;
    refused = testers.testBuildFailure (cardOf wrong);
  }
  ''
    grep -F '"reviewer"' "$card"
    grep -F 'services.agent-spawn.agents.reviewer.api_key_file: ' "$refused/testBuildFailure.log"
    grep -F '[card.conflict]' "$refused/testBuildFailure.log"
    touch "$out"
  ''
