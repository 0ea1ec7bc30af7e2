# Names of earlier modules, both of them at once.
{
  programs.opencode-sandbox = {
    enable = true;
    agentsDir = "/srv/agents";
    cardsDir = "/srv/agents/cards";
    proxy = "http://10.100.1.1:3128";
  };
  programs.sandbox-runtime = {
    enable = true;
    agentsDir = "/srv/agents";
    proxy = "http://10.100.1.1:3128";
  };
}
