# The daemon, the egress proxy and what systemd needs to know of them. Units come from the package.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.agent-spawn;
in
{
  config = lib.mkIf cfg.enable {
    environment = {
      systemPackages = [ cfg.package ];
      etc = {
        "agent-spawn/config.json".source = cfg.build.config;
      }
      // lib.mapAttrs' (id: card: lib.nameValuePair "agents/${id}.json" { source = card; }) cfg.build.cards;
    };

    systemd = {
      packages = [ cfg.package ];
      tmpfiles.packages = [ cfg.package ];
    };
  };
}
