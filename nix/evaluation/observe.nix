# What is recorded of one machine: every file that it gets because of agent-spawn, by path.
{ lib }:
config:
let
  inherit (import ../lib/card.nix) render;
  cfg = config.services.agent-spawn;

  isOurs = name: _: builtins.match "(agent-|agents[.]|sandboxed-agent).*" name != null;
  units = lib.filterAttrs isOurs config.systemd.units;

  # Where NixOS puts a unit whose name the package has, too: beside it.
  unitPath =
    name: unit:
    if unit.overrideStrategy == "asDropin" || unit.overrideStrategy == "asDropinIfExists" then
      "units/${name}.d/overrides.conf"
    else
      "units/${name}";

  # What starts a unit, "TARGET.wants/UNIT" each, as links of systemctl enable are named.
  wants = lib.concatMap (name: map (target: "${target}.wants/${name}") units.${name}.wantedBy) (
    lib.attrNames units
  );

  lines = texts: lib.concatMapStrings (text: "${text}\n") texts;
  wrong = lib.filter (one: !one.assertion) config.assertions;
  told = texts: lib.filter (text: lib.hasInfix "agent-spawn" text || lib.hasInfix "opencode" text) texts;
in
lib.mapAttrs' (name: unit: lib.nameValuePair (unitPath name unit) unit.text) units
// lib.mapAttrs' (
  name: agent: lib.nameValuePair "cards/${agent.agent_id}.json" (builtins.toJSON (render (removeAttrs agent [ "enable" ])))
) (lib.filterAttrs (_: agent: agent.enable) cfg.agents)
// {
  "config.json" = builtins.toJSON (render cfg.settings);
  "tmpfiles.conf" = lines (
    lib.filter (rule: builtins.match ".*agent.*" rule != null) config.systemd.tmpfiles.rules
  );
  "etc.txt" = lines (lib.attrNames (lib.filterAttrs (name: _: builtins.match ".*agent.*" name != null) config.environment.etc));
  "wants.txt" = lines wants;
  "assertions.txt" = lines (map (one: one.message) wrong);
  "warnings.txt" = lines (told config.warnings);
}
