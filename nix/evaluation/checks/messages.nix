# Who is told what.
{ lib, machines, ... }:
let
  inherit (import ../../lib/secret.nix) isVariable;

  refusals =
    machine: map (one: one.message) (lib.filter (one: !one.assertion) machine.config.assertions);
  ofOurs = lib.filter (lib.hasInfix "agent-spawn");
  messages = machine: ofOurs (refusals machine ++ machine.config.warnings);
  right = removeAttrs machines [
    "gone-names"
    "refused"
  ];
  quiet = removeAttrs right [
    "links"
    "old-names"
  ];
  inherit (machines.refused.config.services.agent-spawn.agents.same) environment;
in
{
  "a right configuration is refused by nobody" = lib.all (machine: refusals machine == [ ]) (
    lib.attrValues right
  );
  "a right configuration says nothing" = lib.all (machine: messages machine == [ ]) (
    lib.attrValues quiet
  );
  "each refusal and warning of a wrong configuration begins with the name of an option" = lib.all (
    lib.hasPrefix "services.agent-spawn."
  ) (messages machines.refused);
  "what looks like a secret is in no message" = lib.all (
    message: lib.all (value: !lib.hasInfix value message) (lib.attrValues environment)
  ) (messages machines.refused);
  "old names are one warning each, and what they say is in force" =
    let
      inherit (machines.old-names) config;
    in
    lib.length (messages machines.old-names) == 7
    && config.services.agent-spawn.enable
    && config.services.agent-spawn.agentsDir == "/srv/agents"
    && config.services.agent-spawn.settings.cards_dir == "/srv/agents/cards"
    && config.services.agent-spawn.settings.proxy == "http://10.100.1.1:3128";
  "names that are gone turn nothing on" =
    !machines.gone-names.config.services.agent-spawn.enable
    && !machines.gone-names.config.systemd.services ? agent-spawnd;
  "variables that hold secrets are told from others" =
    lib.all (name: isVariable name "value") [
      "ANTHROPIC_API_KEY"
      "APIKEY"
      "AWS_SECRET_ACCESS_KEY"
      "GITHUB_TOKEN"
      "PASSWORD"
    ]
    && isVariable "HARMLESS" "ghp_0123456789abcdefghij"
    && !lib.any (name: isVariable name "value") [
      "KEYBOARD"
      "MAX_OUTPUT_TOKENS"
      "PUBLIC_KEY_FILE"
      "TOKEN_URL"
    ]
    && !isVariable "GITHUB_TOKEN" "";
}
