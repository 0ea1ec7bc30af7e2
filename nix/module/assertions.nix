# What no type of an option can say, each with the option's name.
{ config, lib, ... }:
let
  cfg = config.services.agent-spawn;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [ ];
    warnings = [ ];
  };
}
