# One declared agent: the keys of its card, in the card's own spelling, and whether there is such an
# agent at all.
{ cfg, lib }:
let
  inherit (lib) literalExpression mkOption types;
  card = import ./card.gen.nix { inherit lib; };
in
{ name, ... }:
{
  options = card // {
    enable = mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = ''
        Whether this agent has a card. Without one it cannot be started, and one that runs is
        stopped.
      '';
    };

    agent_id = card.agent_id // {
      default = name;
      defaultText = literalExpression "‹name›";
    };

    workspace = card.workspace // {
      default = "${toString cfg.agentsDir}/${name}";
      defaultText = literalExpression ''"''${config.services.agent-spawn.agentsDir}/‹name›"'';
    };
  };
}
