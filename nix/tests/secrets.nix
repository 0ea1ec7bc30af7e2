# Keys that a tool unpacked at boot, named by path and as a credential of systemd, reach the API
# that they are for and no agent.
let
  # Asks the API once, and then looks for keys where an agent could find them.
  hunt = ''
    curl -fsS "$CUSTOM_BASE_URL/$AGENT_ID" >answer
    env >environment
    cat /proc/*/environ 2>/dev/null | tr '\0' '\n' >environments
    cat /run/secrets/by-path /run/agenix/by-credential /run/credentials/*/* >files 2>/dev/null
    mv answer done
    exec sleep infinity
  '';

  agentWithKey =
    {
      lib,
      nodes,
      pkgs,
      source,
    }:
    {
      command = [
        (lib.getExe pkgs.bash)
        "-c"
        hunt
      ];
      environment.PATH = lib.makeBinPath [
        pkgs.coreutils
        pkgs.curl
      ];
      allowed_hosts = [ ];
      credentials = [
        {
          provider = "custom";
          base_url = "http://${nodes.api.networking.primaryIPAddress}:8080";
          header = "x-api-key";
          api_key_file = source;
        }
      ];
      autostart = true;
    };
in
{
  name = "agent-spawn-secrets";
  meta.maintainers = [ ];

  nodes = {
    machine =
      {
        lib,
        nodes,
        pkgs,
        ...
      }:
      let
        withKey =
          source:
          agentWithKey {
            inherit
              lib
              nodes
              pkgs
              source
              ;
          };
      in
      {
        services.agent-spawn = {
          enable = true;
          agents.by-path = withKey "/run/secrets/by-path";
          agents.by-credential = withKey "credential:by-credential";
          credentials.by-credential = "/run/agenix/by-credential";
        };

        # Lays keys out as sops-nix and agenix do, and makes them up: no key belongs into the store.
        systemd.services.unpack-secrets = {
          requiredBy = [ "agent-spawnd.service" ];
          before = [ "agent-spawnd.service" ];
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
          };
          script = ''
            for tool in secrets agenix; do
              mkdir -p -m 0751 /run/$tool.d
              mount -t ramfs -o nodev,nosuid,mode=0751 none /run/$tool.d
              mkdir -p -m 0751 /run/$tool.d/1
              chown root:keys /run/$tool.d /run/$tool.d/1
              ln -sfn /run/$tool.d/1 /run/$tool
            done
            umask 0377
            random() { tr -dc a-z0-9 </dev/urandom | head -c 24; }
            echo "sk-by-path-$(random)" >/run/secrets/by-path
            echo "sk-by-credential-$(random)" >/run/agenix/by-credential
          '';
          path = [ pkgs.util-linux ];
        };
      };

    api = {
      services.nginx = {
        enable = true;
        commonHttpConfig = ''
          log_format keys '$uri $http_x_api_key';
          access_log /var/log/nginx/keys.log keys;
        '';
        virtualHosts.default = {
          listen = [
            {
              addr = "0.0.0.0";
              port = 8080;
            }
          ];
          locations."/".return = ''200 "$http_x_api_key"'';
        };
      };
      networking.firewall.allowedTCPPorts = [ 8080 ];
    };
  };

  testScript = ''
    api.wait_for_unit("nginx.service")
    api.wait_for_open_port(8080)
    # Only now: its agents start with it and ask.
    machine.wait_for_unit("agent-spawnd.service")

    places = {"by-path": "/run/secrets/by-path", "by-credential": "/run/agenix/by-credential"}
    for agent, place in places.items():
        with subtest(f"the key of {agent} reaches the API, and the agent does not see it"):
            key = machine.succeed(f"cat {place}").strip()
            machine.wait_until_succeeds(f"test -e /mnt/agents/{agent}/done")
            arrived = api.succeed(f"grep '^/{agent} ' /var/log/nginx/keys.log").split()
            assert arrived == [f"/{agent}", key], arrived
            machine.succeed(f"grep -rxF AGENT_ID={agent} /mnt/agents/{agent} >&2")
            machine.fail(f"grep -rF '{key}' /mnt/agents/{agent}")

        with subtest(f"the key of {agent} is in no card, unit, view, journal or store path"):
            machine.succeed(f"grep -rF '{key}' {place} >&2")
            machine.fail(f"grep -RF '{key}' /etc/agents/ /etc/systemd/ /run/systemd/system/")
            machine.fail(f"systemctl show sandboxed-agent@{agent}.service | grep -F '{key}'")
            machine.fail(f"agentctl inspect {agent} | grep -F '{key}'")
            machine.fail(f"journalctl --boot | grep -F '{key}'")
            machine.fail(f"grep -rF '{key}' /nix/store/*-agent-spawn*")

    with subtest("a new key goes to the API, one of systemd's after a restart of the daemon"):
        for agent, place in places.items():
            machine.succeed(f"install -m 0400 /dev/stdin {place}.new <<<sk-rotated-{agent}")
            machine.succeed(f"mv {place}.new {place}")
        machine.succeed("systemctl restart agent-spawnd.service")
        for agent in places:
            machine.succeed(f"systemctl is-active sandboxed-agent@{agent}.service")
            machine.succeed(f"rm /mnt/agents/{agent}/done")
            machine.succeed(f"agentctl restart {agent}")
            machine.wait_until_succeeds(f"test -e /mnt/agents/{agent}/done")
            last = api.succeed(f"grep '^/{agent} ' /var/log/nginx/keys.log | tail -n 1").split()
            assert last == [f"/{agent}", f"sk-rotated-{agent}"], last
  '';
}
