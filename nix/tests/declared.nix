# A declared agent comes up with the host and another one is spawned beside it. Neither of them gets
# at more than its card says.
let
  # Does what an agent should not and writes down what came of it, a word and "ok" or "refused".
  attempts = ''
    attempt() {
      name=$1
      shift
      if "$@" >"$name.out" 2>&1; then echo "$name ok"; else echo "$name refused"; fi >>attempts
    }
    attempt shadow cat /etc/shadow
    attempt outside cat /root/outside
    attempt store-write touch /nix/store/planted
    attempt allowed curl -fsS http://"$ALLOWED"/
    attempt denied curl -fsS http://other/
    attempt direct curl -fsS --noproxy '*' --max-time 10 http://"$ALLOWED"/
    mv attempts report
    exec sleep infinity
  '';
in
{
  name = "agent-spawn-declared";
  meta.maintainers = [ ];

  nodes = {
    machine =
      {
        lib,
        nodes,
        pkgs,
        ...
      }:
      {
        services.agent-spawn = {
          enable = true;
          agents.watcher = {
            description = "Tries what it must not";
            command = [
              (lib.getExe pkgs.bash)
              "-c"
              attempts
            ];
            environment = {
              ALLOWED = nodes.server.networking.primaryIPAddress;
              PATH = lib.makeBinPath [
                pkgs.coreutils
                pkgs.curl
              ];
            };
            allowed_hosts = [ nodes.server.networking.primaryIPAddress ];
            resource_limits.memory_mb = 256;
            autostart = true;
          };
          agents.resting = {
            command = [
              (lib.getExe' pkgs.coreutils "sleep")
              "infinity"
            ];
          };
        };

        # The card of an agent that nobody declared.
        environment.etc."spawned.json".text = builtins.toJSON {
          agent_id = "spawned";
          workspace = "/mnt/agents/spawned";
          command = [
            (lib.getExe pkgs.bash)
            "-c"
            "id -u >uid && touch made-here && ! touch /etc/planted"
          ];
          environment.PATH = lib.makeBinPath [ pkgs.coreutils ];
          network.mode = "none";
          ttl_seconds = 60;
        };

        environment.systemPackages = [ pkgs.curl ];
        systemd.tmpfiles.settings."10-outside"."/root/outside".f = {
          mode = "0600";
          argument = "of the host";
        };
      };

    server = {
      services.nginx = {
        enable = true;
        virtualHosts.default.locations."/".return = ''200 "from the server"'';
      };
      networking.firewall.allowedTCPPorts = [ 80 ];
    };

    other = {
      services.nginx = {
        enable = true;
        virtualHosts.default.locations."/".return = ''200 "from the other one"'';
      };
      networking.firewall.allowedTCPPorts = [ 80 ];
    };
  };

  testScript = ''
    for host in server, other:
        host.wait_for_unit("nginx.service")
        host.wait_for_open_port(80)
    # Only now: its first agent starts with it and asks them.
    machine.wait_for_unit("agent-spawnd.service")

    with subtest("a card with autostart is a running unit, one without rests"):
        machine.wait_until_succeeds("systemctl is-active sandboxed-agent@watcher.service")
        machine.fail("systemctl is-active sandboxed-agent@resting.service")
        machine.succeed("systemctl start sandboxed-agent@resting.service")
        machine.wait_for_unit("sandboxed-agent@resting.service")
        memory = machine.get_unit_property("sandboxed-agent@watcher.service", "MemoryMax")
        assert memory == str(256 * 1024 * 1024), memory

    with subtest("what the host itself can do shows that the walls are the sandbox's"):
        machine.succeed("cat /etc/shadow /root/outside >&2")
        machine.succeed("curl -fsS http://server/ http://other/ >&2")

    with subtest("the agent reaches what its card names and nothing else"):
        machine.wait_until_succeeds("test -e /mnt/agents/watcher/report")
        report = dict(
            line.split() for line in machine.succeed("cat /mnt/agents/watcher/report").splitlines()
        )
        assert report == {
            "shadow": "refused",
            "outside": "refused",
            "store-write": "refused",
            "allowed": "ok",
            "denied": "refused",
            "direct": "refused",
        }, report
        allowed = machine.succeed("cat /mnt/agents/watcher/allowed.out")
        assert allowed == "from the server", allowed

    with subtest("the audit says what was refused, and why"):
        denied = machine.succeed("agentctl audit --denied watcher")
        assert "egress.no-rule" in denied, denied
        assert "other:80" in denied, denied
        machine.succeed("agentctl audit verify watcher")

    with subtest("an agent that nobody declared runs beside it, with a user of its own"):
        machine.succeed("agent-spawn /etc/spawned.json >&2")
        machine.succeed("test -e /mnt/agents/spawned/made-here")
        machine.fail("test -e /etc/planted")
        spawned = machine.succeed("cat /mnt/agents/spawned/uid").strip()
        watcher = machine.succeed("stat -c %u /mnt/agents/watcher").strip()
        assert spawned not in ["0", watcher], [spawned, watcher]

    with subtest("of a stopped agent nothing runs"):
        machine.succeed(f"pgrep -U {watcher} >&2")
        machine.succeed("agentctl stop watcher")
        machine.wait_until_fails("systemctl is-active sandboxed-agent@watcher.service")
        machine.fail(f"pgrep -U {watcher}")
  '';
}
