# What is recorded of one machine: every file that it gets because of agent-spawn, by path, and what
# the one who builds it is told. Of a machine that is refused there is nothing else. Paths of the
# store stand without their hash, those of this checkout without where it is.
{ lib }:
config:
let
  inherit (lib) filterAttrs hasInfix mapAttrs' nameValuePair;
  cfg = config.services.agent-spawn;

  isOurs = name: _: builtins.match "(agent-|agents[.]|sandboxed-agent).*" name != null;
  isAbout = text: hasInfix "agent-spawn" text || hasInfix "opencode" text;

  anywhere =
    text:
    lib.replaceStrings [ "${toString ../..}/" ] [ "" ] (
      lib.concatMapStrings (part: if lib.isList part then "/nix/store/@-" else part) (
        builtins.split "/nix/store/[a-z0-9]{32}-" (builtins.unsafeDiscardStringContext text)
      )
    );
  lines = texts: lib.concatMapStrings (text: "${anywhere (lib.trim text)}\n") texts;

  units = filterAttrs isOurs config.systemd.units;
  # Where NixOS puts a unit whose name the package has, too: beside it.
  unitPath =
    name:
    { overrideStrategy, ... }:
    if lib.hasPrefix "asDropin" overrideStrategy then
      "units/${name}.d/overrides.conf"
    else
      "units/${name}";

  etc = filterAttrs (
    name: file: hasInfix "agent" name && file.source ? value
  ) config.environment.etc;

  rules = config.systemd.tmpfiles.settings."20-agent-spawn" or { };
  tmpfiles = lib.concatLists (
    lib.mapAttrsToList (
      path:
      lib.mapAttrsToList (
        _:
        {
          type,
          mode,
          user,
          group,
          age,
          argument,
        }:
        "${type} ${path} ${mode} ${user} ${group} ${age} ${argument}"
      )
    ) rules
  );
  groups = lib.filter (name: hasInfix "agent" name || name == cfg.group) (
    lib.attrNames config.users.groups
  );

  files =
    mapAttrs' (name: unit: nameValuePair (unitPath name unit) (anywhere unit.text)) units
    // mapAttrs' (name: file: nameValuePair "etc/${name}" (builtins.toJSON file.source.value)) etc
    // {
      "wanted.txt" = lines (
        lib.mapAttrsToList (name: unit: "${name} by ${toString unit.wantedBy}") (
          filterAttrs (_: unit: unit.wantedBy != [ ]) units
        )
      );
      "restart-triggers.txt" = lines config.systemd.services.agent-spawnd.restartTriggers;
      "reload-triggers.txt" = lines config.systemd.services.agent-spawnd.reloadTriggers;
      "tmpfiles.txt" = lines tmpfiles;
      "groups.txt" = lines groups;
    };

  refusals = lib.filter isAbout (
    map (one: one.message) (lib.filter (one: !one.assertion) config.assertions)
  );
in
(if refusals == [ ] then files else { "refusals.txt" = lines refusals; })
// {
  "warnings.txt" = lines (lib.filter isAbout config.warnings);
}
