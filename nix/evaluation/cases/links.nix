# A link of an agent's own and a published port, on a machine that forwards nothing and filters what
# it would.
{
  networking.nftables.enable = true;
  networking.firewall.filterForward = true;

  services.agent-spawn = {
    enable = true;
    agents = {
      database = {
        network = {
          mode = "veth";
          allow = [
            {
              address = "192.0.2.10";
              port = 5432;
            }
            {
              address = "2001:db8::10";
              port = 5432;
            }
          ];
          publish = [ { port = 8080; } ];
        };
      };
      # Reaches nothing by its link, so that nothing has to be forwarded.
      quiet.network.mode = "veth";
    };
  };
}
