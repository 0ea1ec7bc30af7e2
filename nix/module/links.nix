# What the system does to the links of agents in the network mode veth, and what it has to let them
# do.
{ config, lib, ... }:
let
  inherit (lib) concatMap elem optional;
  inherit (import ../lib/card.nix) declared;
  inherit (import ./message.nix { inherit lib; }) agentOption say;
  cfg = config.services.agent-spawn;
  agents = declared cfg.agents;

  # Each agent that may reach something by its link, and the versions of IP that it does so with.
  linked = concatMap (
    name:
    let
      inherit (agents.${name}) network;
      isLinked = network != null && network.mode == "veth" && network.allow != null;
      familyOf = { address, ... }: if lib.hasInfix ":" address then 6 else 4;
      families = if isLinked then lib.unique (map familyOf network.allow) else [ ];
    in
    optional (families != [ ]) {
      option = "${agentOption name}.network.allow";
      inherit families;
    }
  ) (lib.attrNames agents);

  settings =
    family:
    if family == 4 then
      [
        "net.ipv4.ip_forward"
        "net.ipv4.conf.all.forwarding"
      ]
    else
      [ "net.ipv6.conf.all.forwarding" ];

  isOn =
    name:
    elem (config.boot.kernel.sysctl.${name} or null) [
      1
      "1"
      true
    ];

  # Forwarding makes a router of the machine, between all its networks and for everybody in them.
  # That is not decided here for one agent's sake: without it the agent does not start, and says
  # why.
  forwarding =
    { option, families }:
    map (
      family:
      say ''
        ${option}: addresses of other machines are reached only when this one forwards packets. Set
        boot.kernel.sysctl."${lib.head (settings family)}" = 1, and see to it that your firewall
        lets nobody else use that.
      ''
    ) (lib.filter (family: !lib.any isOn (settings family)) families);

  filtering =
    { option, ... }:
    optional (config.networking.firewall.enable && config.networking.firewall.filterForward) (say ''
      ${option}: networking.firewall.filterForward drops what the agent sends. Let it pass with
      networking.firewall.extraForwardRules = "iifname \"agv*\" accept"; what an agent may reach is
      in a table of its own.
    '');
in
{
  config = lib.mkIf cfg.enable {
    # An agent is at the other end. A DHCP client of the host would believe what it answers,
    # addresses, routes and name servers, and hears it before nftables do. Each of these three
    # means something only where that program manages links.
    networking.dhcpcd.denyInterfaces = [ "agv*" ];
    networking.networkmanager.settings.device-agent-spawn = {
      match-device = "interface-name:agv*";
      managed = false;
    };
    systemd.network.networks."05-agent-spawn" = {
      matchConfig.Name = "agv*";
      linkConfig.Unmanaged = true;
    };

    warnings = concatMap forwarding linked ++ concatMap filtering linked;
  };
}
