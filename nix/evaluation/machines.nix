# Configurations whose outcome is recorded, by the name of their directory below nix/golden.
{
  minimal = {
    services.agent-spawn.enable = true;
  };

  declared = {
    services.agent-spawn = {
      enable = true;
      proxy = "http://10.100.1.1:3128";
      agents.reviewer = {
        agent = "claude-code";
        api_key_file = "/run/secrets/anthropic-key";
        autostart = true;
        resource_limits.memory_mb = 2048;
      };
    };
  };

  generation-1 = import ./generations.nix { generation = 1; };
  generation-2 = import ./generations.nix { generation = 2; };
}
