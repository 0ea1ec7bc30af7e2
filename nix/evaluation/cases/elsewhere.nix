# Cards outside /etc: links that lead there, and that lead nowhere when an agent is gone.
{
  services.agent-spawn = {
    enable = true;
    cardsDir = "/srv/agents/cards";
    agentsDir = "/srv/agents/work";
    agents.reviewer = { };
    agents.tester.workspace = "/srv/checkouts/shop";
  };
}
