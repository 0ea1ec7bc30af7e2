# A group that may call the API, a proxy for all agents, and settings of the daemon.
{
  services.agent-spawn = {
    enable = true;
    group = "agent-callers";
    proxy = "http://10.100.1.1:3128";
    agentsDir = "/srv/agents";
    settings.log_level = "debug";

    agents = {
      reviewer = {
        agent = "claude-code";
        autostart = true;
      };
      retired = {
        enable = false;
        agent = "codex";
      };
    };
  };

  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "agent-callers" ];
  };
}
