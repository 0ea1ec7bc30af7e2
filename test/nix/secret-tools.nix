# The options of sops-nix and agenix that the examples set, with the defaults that those have. What
# they do with them is not part of this: it is laid out by hand where keys are really read.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  secretBelow =
    directory: more:
    mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              path = mkOption {
                type = types.str;
                default = "${directory}/${name}";
              };
            }
            // more;
          }
        )
      );
      default = { };
    };
in
{
  options = {
    sops = {
      defaultSopsFile = mkOption { type = types.path; };
      age.keyFile = mkOption { type = types.path; };
      secrets = secretBelow "/run/secrets" {
        restartUnits = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
      };
    };
    age.secrets = secretBelow "/run/agenix" {
      file = mkOption { type = types.path; };
    };
  };
}
