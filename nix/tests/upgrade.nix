# A switch to a generation with one changed card restarts that agent and no other, starts a new one
# and ends a withdrawn one.
{
  name = "agent-spawn-upgrade";
  meta.maintainers = [ ];

  nodes.machine =
    { lib, pkgs, ... }:
    let
      agent =
        changes:
        {
          command = [
            (lib.getExe' pkgs.coreutils "sleep")
            "infinity"
          ];
          network.mode = "none";
          autostart = true;
        }
        // changes;
    in
    {
      services.agent-spawn = {
        enable = true;
        agents.steady = agent { };
        agents.changing = agent { resource_limits.memory_mb = lib.mkDefault 128; };
        agents.withdrawn = agent { enable = lib.mkDefault true; };
      };
      system.switch.enable = true;

      specialisation.next.configuration.services.agent-spawn.agents = {
        changing.resource_limits.memory_mb = 192;
        withdrawn.enable = false;
        added = agent { };
      };
    };

  testScript = ''
    def invocation(name):
        return machine.get_unit_property(f"sandboxed-agent@{name}.service", "InvocationID")


    def await_active(name):
        machine.wait_until_succeeds(f"systemctl is-active sandboxed-agent@{name}.service")


    machine.wait_for_unit("agent-spawnd.service")
    for name in ["steady", "changing", "withdrawn"]:
        await_active(name)
    daemon = machine.get_unit_property("agent-spawnd.service", "InvocationID")
    steady = invocation("steady")
    changing = invocation("changing")

    with subtest("a switch to the same generation touches nobody"):
        machine.succeed("/run/current-system/bin/switch-to-configuration test >&2")
        assert [invocation("steady"), invocation("changing")] == [steady, changing]

    with subtest("a switch to another one reaches those whose cards are others"):
        machine.succeed(
            "/run/current-system/specialisation/next/bin/switch-to-configuration test >&2"
        )
        await_active("added")
        machine.wait_until_fails("systemctl is-active sandboxed-agent@withdrawn.service")
        await_active("changing")
        assert invocation("changing") != changing
        assert invocation("steady") == steady
        memory = machine.get_unit_property("sandboxed-agent@changing.service", "MemoryMax")
        assert memory == str(192 * 1024 * 1024), memory

    with subtest("the daemon read the cards again and was not restarted for it"):
        assert machine.get_unit_property("agent-spawnd.service", "InvocationID") == daemon

    with subtest("a killed daemon takes no agent with it, and restarts none when it comes back"):
        changing = invocation("changing")
        machine.succeed("systemctl kill --signal=KILL --kill-whom=main agent-spawnd.service")
        machine.wait_until_succeeds("agentctl list")
        assert [invocation("steady"), invocation("changing")] == [steady, changing]
  '';
}
