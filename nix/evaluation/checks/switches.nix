# What a switch to another configuration does to units that run, by what changes in their files:
# X-Reload-Triggers= alone is a reload, anything else of a service a restart
# (../../module/daemon.nix).
{
  evaluate,
  lib,
  ...
}:
let
  base = {
    services.agent-spawn = {
      enable = true;
      agents.one.command = [ "true" ];
      agents.two.command = [ "true" ];
    };
  };
  machine =
    change:
    (evaluate {
      imports = [
        base
        change
      ];
    }).config;

  textsOf =
    config:
    lib.mapAttrs (_: unit: unit.text) (
      lib.filterAttrs (name: _: lib.hasPrefix "agent" name) config.systemd.units
    );
  before = textsOf (machine { });

  linesOf = lib.splitString "\n";
  # Names of the settings whose lines are in one text and not in the other.
  differing =
    one: other:
    let
      added = lib.subtractLists (linesOf one) (linesOf other);
      removed = lib.subtractLists (linesOf other) (linesOf one);
    in
    lib.unique (map (line: lib.head (lib.splitString "=" line)) (added ++ removed));
  # Of each unit whose file is another one after a change, the settings that are.
  changes =
    change:
    lib.filterAttrs (_: settings: settings != [ ]) (
      lib.mapAttrs (name: text: differing before.${name} text) (textsOf (machine change))
    );
in
{
  "a changed card is a reload of the daemon and nothing else" =
    changes { services.agent-spawn.agents.one.ttl_seconds = 60; } == {
      "agent-spawnd.service" = [ "X-Reload-Triggers" ];
    };
  "a card that is new is a reload of the daemon and nothing else" =
    changes { services.agent-spawn.agents.three = { }; } == {
      "agent-spawnd.service" = [ "X-Reload-Triggers" ];
    };
  "a card that goes is a reload of the daemon and nothing else" =
    changes { services.agent-spawn.agents.one.enable = false; } == {
      "agent-spawnd.service" = [ "X-Reload-Triggers" ];
    };
  "another setting is a restart of the daemon and nothing else" =
    changes { services.agent-spawn.settings.log_level = "debug"; } == {
      "agent-spawnd.service" = [ "X-Restart-Triggers" ];
    };
  "another group is a restart of the daemon, with a socket that is opened anew" =
    changes { services.agent-spawn.group = "agent-callers"; } == {
      "agent-spawnd.service" = [ "X-Restart-Triggers" ];
      "agent-spawnd.socket" = [
        "SocketGroup"
        "SocketMode"
      ];
    };
  "another credential is a restart of the daemon and nothing else" =
    changes { services.agent-spawn.credentials.key = "/run/secrets/key"; } == {
      "agent-spawnd.service" = [ "LoadCredential" ];
    };
  "another package is no change of a drop-in" =
    changes {
      services.agent-spawn.package = builtins.derivation {
        name = "agent-spawn";
        system = "x86_64-linux";
        builder = "/bin/false";
      };
    } == { };
  "a module that is off adds nothing" =
    textsOf (machine { services.agent-spawn.enable = lib.mkForce false; }) == { };
  "relays and networks of agents that run outlive another package" =
    lib.filter (name: lib.elem "X-RestartIfChanged=false" (linesOf before.${name})) (
      lib.attrNames before
    ) == [
      "agent-egress-veth@.service"
      "agent-egress@.service"
      "agent-veth@.service"
    ];
  "no unit gets a search path or variables, which would be others after each update" =
    !lib.any (lib.hasInfix "Environment=") (lib.attrValues before);
  "nothing of the host manages the links of agents" =
    let
      inherit (machine { }) networking systemd;
      inherit (networking.networkmanager.settings) device-agent-spawn;
      network = systemd.network.networks."05-agent-spawn";
    in
    lib.elem "agv*" networking.dhcpcd.denyInterfaces
    && device-agent-spawn.match-device == "interface-name:agv*"
    && !device-agent-spawn.managed
    && network.matchConfig.Name == "agv*"
    && network.linkConfig.Unmanaged;
}
