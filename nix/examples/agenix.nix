# Keys that agenix unpacks. Its module stands beside this one: `agenix.nixosModules.default`.
#
# agenix gives a secret to root with mode 0400 when nothing else is said, which is what agent-spawn
# wants of a key: `owner`, `group` and `mode` stay unset.
{ config, ... }:
{
  age.secrets = {
    anthropic-key.file = ./anthropic-key.age;
    openai-key.file = ./openai-key.age;
    github-token.file = ./github-token.age;
  };

  services.agent-spawn = {
    enable = true;

    # By path: /run/agenix/anthropic-key, read whenever the agent starts.
    agents.reviewer = {
      agent = "claude-code";
      credentials = [
        {
          provider = "anthropic";
          api_key_file = config.age.secrets.anthropic-key.path;
        }
        {
          provider = "git";
          base_url = "https://github.com";
          api_key_file = config.age.secrets.github-token.path;
        }
      ];
    };

    # As a credential of systemd, which may belong to any user.
    credentials.openai-key = config.age.secrets.openai-key.path;
    agents.coder = {
      agent = "codex";
      api_key_file = "credential:openai-key";
    };
  };
}
