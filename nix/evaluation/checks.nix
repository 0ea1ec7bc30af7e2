# Sentences about evaluated machines, each with whether it holds.
{
  lib,
  machines,
  ...
}:
{
  "a machine without agents has no card" =
    machines.minimal.config.services.agent-spawn.build.cards == { };
  "no machine fails an assertion" = lib.all (
    machine: lib.all (one: one.assertion) machine.config.assertions
  ) (lib.attrValues machines);
}
