# Members of the group that the module names may use the API; nobody else may.
{
  name = "agent-spawn-callers";
  meta.maintainers = [ ];

  nodes.machine =
    { lib, pkgs, ... }:
    {
      services.agent-spawn = {
        enable = true;
        group = "agent-callers";
      };

      users.groups.agent-callers = { };
      users.users.member = {
        isNormalUser = true;
        extraGroups = [ "agent-callers" ];
      };
      users.users.stranger.isNormalUser = true;

      environment.etc."called.json".text = builtins.toJSON {
        agent_id = "called";
        workspace = "/mnt/agents/called";
        command = [
          (lib.getExe' pkgs.coreutils "sleep")
          "infinity"
        ];
        network.mode = "none";
      };
      environment.etc."foreground.json".text = builtins.toJSON {
        agent_id = "foreground";
        workspace = "/mnt/agents/foreground";
        command = [
          (lib.getExe' pkgs.coreutils "echo")
          "from the agent"
        ];
        network.mode = "none";
      };
    };

  testScript = ''
    machine.wait_for_unit("multi-user.target")
    machine.wait_for_unit("agent-spawnd.service")

    with subtest("a member of the group starts, sees and ends an agent"):
        told = machine.succeed("su - member -c 'agent-spawn --detach /etc/called.json'")
        assert told == "called\n", told
        machine.wait_for_unit("sandboxed-agent@called.service")
        listed = machine.succeed("su - member -c 'agentctl list'")
        assert "called" in listed, listed

    with subtest("a member has an agent in the foreground, with what it prints"):
        told = machine.succeed("su - member -c 'agent-spawn --quiet /etc/foreground.json'")
        assert told == "from the agent\n", told

    with subtest("a stranger is refused, and changes nothing"):
        machine.fail("su - stranger -c 'agentctl list'")
        machine.fail("su - stranger -c 'agentctl stop called'")
        machine.fail("su - stranger -c 'agent-spawn --detach /etc/called.json'")
        machine.succeed("systemctl is-active sandboxed-agent@called.service")

    with subtest("the user of an agent is a stranger as well"):
        uid = machine.succeed("stat -c %u /mnt/agents/called").strip()
        as_agent = f"setpriv --reuid={uid} --regid=65534 --clear-groups"
        machine.succeed(f"{as_agent} agentctl --version")
        machine.fail(f"{as_agent} agentctl list")

    machine.succeed("su - member -c 'agentctl stop called'")
    machine.wait_until_fails("systemctl is-active sandboxed-agent@called.service")
  '';
}
