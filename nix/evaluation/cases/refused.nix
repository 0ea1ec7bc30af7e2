# Everything that is refused with the name of an option, on a machine that cannot confine agents.
{ lib, ... }:
{
  security.allowUserNamespaces = false;
  boot.kernel.sysctl."kernel.unprivileged_userns_clone" = 0;
  nix.settings.sandbox = false;
  services.nscd.enable = false;
  system.nssModules = lib.mkForce [ ];

  services.agent-spawn = {
    enable = true;
    agentsDir = "/nix/store/agents";
    cardsDir = ./.;

    credentials = {
      "not a name" = "/run/secrets/key";
      literal = ./refused.nix;
    };

    agents = {
      "Not_An_Id" = { };
      "123".api_key_file = "/nix/store/anthropic-key";
      one.agent_id = "same";
      same = {
        proxy_credentials_file = "/nix/store/proxy-credentials";
        credentials = [
          { provider = "ollama"; }
          {
            provider = "openai";
            api_key_file = "/nix/store/openai-key";
          }
        ];
        environment = {
          OPENAI_API_KEY = "not shown anywhere";
          HARMLESS = "sk-not-shown-anywhere-either";
        };
      };
    };
  };
}
