# Keys that sops-nix unpacks. Its module stands beside this one: `sops-nix.nixosModules.sops`.
#
# sops-nix gives a secret to root with mode 0400 when nothing else is said, which is what
# agent-spawn wants of a key: `owner`, `group` and `mode` stay unset.
{ config, ... }:
{
  sops = {
    defaultSopsFile = ./secrets.yaml;
    age.keyFile = "/var/lib/sops-nix/key.txt";
    secrets.anthropic-key = { };
    # The daemon gets what systemd hands to it when it starts; agents go on meanwhile.
    secrets.openai-key.restartUnits = [ "agent-spawnd.service" ];
  };

  services.agent-spawn = {
    enable = true;

    # By path: /run/secrets/anthropic-key, read whenever the agent starts.
    agents.reviewer = {
      agent = "claude-code";
      api_key_file = config.sops.secrets.anthropic-key.path;
    };

    # As a credential of systemd, which may belong to any user.
    credentials.openai-key = config.sops.secrets.openai-key.path;
    agents.coder = {
      agent = "codex";
      api_key_file = "credential:openai-key";
    };
  };
}
