# Nothing but the module: a daemon, and no agents.
{
  services.agent-spawn.enable = true;
}
