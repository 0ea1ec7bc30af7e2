# The daemon, the egress proxy, and what a switch of the system may do to them and to agents that
# run.
#
# Units come from the package; this only adds drop-ins. An [Install] section means nothing on NixOS,
# so that what a boot starts is said here once more.
#
# What switch-to-configuration does (the program in Rust and the script before it):
# - It looks at units that are active and have a file, or their template has one, in
#   /etc/systemd/system. The units that the daemon writes into /run/systemd/system
#   (sandboxed-agent@ID.service, agent-publish@…) and those it starts without a file have none: no
#   switch stops or restarts them.
# - agents.slice has one: when the module is switched off, the slice is stopped, and with it all
#   agents.
# - A service that changed is stopped, and started with what is new: agent-egress@ID.service in the
#   middle of a request, agent-veth@ID.service together with its agent, which is bound to it.
#   Templates are in the package, whose path is another one after each update; so these stay as
#   they are until their next start (X-RestartIfChanged=false).
# - A socket that changed is left alone, those of agents too. Only with a changed service of the
#   same name it is closed and opened again: a changed group has to be a change of the daemon's
#   service as well.
# - A service whose X-Reload-Triggers= alone changed is reloaded, after tmpfiles have run: that is a
#   new set of cards.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkForce;
  inherit (import ../lib/card.nix) cardsOf render;
  cfg = config.services.agent-spawn;

  # A drop-in of a service says nothing of its own accord. NixOS would add a PATH and two variables
  # that follow from the packages of the system: the programs know their tools, and other variables
  # would restart them with each update.
  dropIn = {
    overrideStrategy = "asDropin";
    path = mkForce [ ];
    environment = {
      LOCALE_ARCHIVE = null;
      TZDIR = null;
    };
  };
  kept = dropIn // {
    restartIfChanged = false;
  };
in
{
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    users.groups = {
      agent-spawn = { };
      agent-egress = { };
    }
    // lib.optionalAttrs (cfg.group != null) { ${cfg.group} = { }; };

    systemd = {
      packages = [ cfg.package ];
      tmpfiles.packages = [ cfg.package ];
      # Members make the streams of foreground agents in here, and see nothing of each other's. The
      # package has the directory as root's alone, which it is again without this line.
      tmpfiles.settings."20-agent-spawn" = lib.mkIf (cfg.group != null) {
        "/run/agent-spawn/attach".z = {
          mode = "1730";
          user = "root";
          group = cfg.group;
        };
      };

      services = {
        agent-spawnd = dropIn // {
          wantedBy = [ "multi-user.target" ];
          # Texts and not files: those are others whenever the programs that judge them are.
          restartTriggers = [ (builtins.toJSON (render { inherit (cfg) group settings; })) ];
          reloadTriggers = [ (builtins.toJSON (cardsOf cfg.agents)) ];
          serviceConfig.LoadCredential = lib.mkIf (cfg.credentials != { }) (
            lib.mapAttrsToList (name: file: "${name}:${toString file}") cfg.credentials
          );
        };
        agent-egressd = dropIn;
        "agent-egress@" = kept;
        "agent-egress-veth@" = kept;
        "agent-veth@" = kept;
      };

      sockets = {
        agent-spawnd = {
          overrideStrategy = "asDropin";
          wantedBy = [ "sockets.target" ];
          socketConfig = lib.mkIf (cfg.group != null) {
            SocketGroup = cfg.group;
            SocketMode = "0660";
          };
        };
        agent-egressd = {
          overrideStrategy = "asDropin";
          wantedBy = [ "sockets.target" ];
        };
      };
    };
  };
}
