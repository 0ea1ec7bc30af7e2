# What was written for earlier modules. The first part still holds, and says in a warning what each
# name is called now; the second stands where services.opencode-sandbox was, of which no value is
# one of an option here.
{
  programs.opencode-sandbox = {
    enable = true;
    agentsDir = "/srv/agents";
    cardsDir = "/srv/agents/cards";
    proxy = "http://10.100.1.1:3128";
  };

  services.agent-spawn.agents.opencode = {
    agent = "opencode";
    workspace = "/srv/opencode"; # workDir
    api_key_file = "/run/secrets/anthropic-key"; # apiKeyFile
    autostart = true; # enable
  };
}
