# Secrets stay out of the store, which everybody on the machine can read. Nothing here shows a
# value.
{ config, lib, ... }:
let
  inherit (lib) attrNames concatMap mapAttrsToList;
  inherit (import ../lib/card.nix) declared secretFiles;
  inherit (import ../lib/secret.nix) isVariable stored;
  inherit (import ./message.nix { inherit lib; }) agentOption credentialOption say;
  cfg = config.services.agent-spawn;
  agents = declared cfg.agents;

  files =
    concatMap (
      agent:
      map (
        { key, file }:
        {
          option = "${agentOption agent}.${key}";
          inherit file;
        }
      ) (secretFiles agents.${agent})
    ) (attrNames agents)
    ++ mapAttrsToList (name: file: {
      option = credentialOption name;
      inherit file;
    }) cfg.credentials;

  variables = concatMap (
    agent:
    let
      inherit (agents.${agent}) environment;
      isSuspect = name: isVariable name environment.${name};
    in
    map (name: "${agentOption agent}.environment.${name}") (
      if environment == null then [ ] else lib.filter isSuspect (attrNames environment)
    )
  ) (attrNames agents);
in
{
  config = lib.mkIf cfg.enable {
    assertions = map (
      { option, file }:
      {
        assertion = stored file == null;
        message = say ''
          ${option} ${toString (stored file)}. Everybody on the machine can read what is in there,
          agents included. Write the path of a file outside it, as a text like
          "/run/secrets/model-key", and let sops-nix, agenix or systemd put the secret there.
        '';
      }
    ) files;

    warnings = map (
      option:
      say ''
        ${option} looks like a secret. Cards are in the Nix store, which everybody on the machine
        can read. Name the file of a key in api_key_file or credentials, and the agent never gets
        it.
      ''
    ) variables;
  };
}
