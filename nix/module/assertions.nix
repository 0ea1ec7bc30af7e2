# What no type of an option can say, each with the option's name.
{ config, lib, ... }:
let
  inherit (lib) attrNames concatStringsSep mapAttrsToList;
  inherit (import ../lib/card.nix) declared isId;
  inherit (import ../lib/secret.nix) stored;
  inherit (import ./message.nix { inherit lib; }) agentOption credentialOption say;
  cfg = config.services.agent-spawn;
  agents = declared cfg.agents;

  names = map (name: {
    assertion = isId name;
    message = say ''
      ${agentOption name}: an agent cannot have this name. It names a unit, a user and a host:
      1 to 48 characters, lower-case letters, digits and inner hyphens.
    '';
  }) (attrNames cfg.agents);

  ids = mapAttrsToList (id: sharing: {
    assertion = lib.length sharing == 1;
    message = say ''
      ${concatStringsSep " and " (map agentOption sharing)} have one agent_id, "${id}". An id is one
      agent's.
    '';
  }) (lib.groupBy (name: agents.${name}.agent_id) (attrNames agents));

  credentials = map (name: {
    assertion = builtins.match "[A-Za-z0-9_][A-Za-z0-9._-]{0,126}" name != null;
    message = say ''
      ${credentialOption name}: a credential cannot have this name. It has 1 to 127 letters, digits,
      dots, hyphens and underscores, and starts with a letter, a digit or an underscore.
    '';
  }) (attrNames cfg.credentials);

  directories =
    map
      (name: {
        assertion = stored cfg.${name} == null;
        message = say ''
          services.agent-spawn.${name} ${toString (stored cfg.${name})}, and nothing in there can be
          changed. Write a directory outside it, as a text.
        '';
      })
      [
        "agentsDir"
        "cardsDir"
      ];

  isOff =
    name:
    lib.elem (config.boot.kernel.sysctl.${name} or null) [
      0
      "0"
      false
    ];

  # A hardened kernel forbids it unless it is told otherwise.
  isHardened = !config.boot.isContainer && config.boot.kernelPackages.isHardened or false;

  host = [
    {
      assertion = config.security.allowUserNamespaces && !isOff "user.max_user_namespaces";
      message = say ''
        services.agent-spawn.enable: agents are confined in user namespaces, and this system has
        none. Set security.allowUserNamespaces = true, and
        boot.kernel.sysctl."user.max_user_namespaces" to more than 0 or not at all.
      '';
    }
    {
      assertion =
        !isOff "kernel.unprivileged_userns_clone"
        && (isHardened -> config.security.unprivilegedUsernsClone);
      message = say ''
        services.agent-spawn.enable: agents are ordinary users that make user namespaces, and
        boot.kernel.sysctl."kernel.unprivileged_userns_clone" or a hardened kernel forbids that.
        Set security.unprivilegedUsernsClone = true.
      '';
    }
    {
      # So it is unless somebody takes it away. NixOS finds modules of the name service in nscd
      # alone.
      assertion =
        config.services.nscd.enable
        && lib.all (lib.any (lib.hasInfix "systemd")) [
          config.system.nssDatabases.passwd
          config.system.nssDatabases.group
        ];
      message = say ''
        services.agent-spawn.enable: the users of agents are known to nss-systemd alone. Set
        services.nscd.enable = true, and keep "systemd" in system.nssDatabases.passwd and
        system.nssDatabases.group.
      '';
    }
  ];
in
{
  config = lib.mkIf cfg.enable {
    assertions = names ++ ids ++ credentials ++ directories ++ host;
  };
}
