# What a type refuses, when the system is evaluated. What only the programs know to be wrong is
# refused when the card is built (../builds.nix).
{ evaluate, lib, ... }:
let
  wrong = {
    "a size as a text" = {
      resource_limits.memory_mb = "2048";
    };
    "a size in bytes" = {
      resource_limits.memory_mb = 2147483648;
    };
    "a port that no agent can take" = {
      network.publish = [ { port = 80; } ];
    };
    "a word that is none of a choice" = {
      network.mode = "bridge";
    };
    "a single text for a list" = {
      allowed_hosts = "api.anthropic.com";
    };
    "a host as a URL" = {
      allowed_hosts = [ "https://api.anthropic.com/" ];
    };
    "an empty list where one entry must be" = {
      command = [ ];
    };
    "an unknown key" = {
      workdir = "/srv/agents/wrong";
    };
    "an unknown key inside" = {
      resource_limits.memory = 2048;
    };
    "an entry without what it must have" = {
      credentials = [ { api_key_file = "/run/secrets/key"; } ];
    };
    "a relative workspace" = {
      workspace = "work";
    };
    "a key as a path literal" = {
      api_key_file = ./wrong-cards.nix;
    };
    "a key instead of its file" = {
      api_key_file = "sk-0123456789abcdef";
    };
    "an id that names no user" = {
      agent_id = "Wrong";
    };
  };

  agentsOf =
    agents:
    (evaluate {
      services.agent-spawn = {
        enable = true;
        inherit agents;
      };
    }).config.services.agent-spawn.agents;
  isTaken = agent: (builtins.tryEval (builtins.deepSeq agent true)).success;
  evaluated = agentsOf (wrong // { right.workspace = "/srv/agents/right"; });
in
{
  "a right card among wrong ones is taken" = isTaken evaluated.right;
}
// lib.mapAttrs' (
  what: _: lib.nameValuePair "${what} is refused" (!isTaken evaluated.${what})
) wrong
