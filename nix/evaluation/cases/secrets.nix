# Keys in files that others put in place, and keys that systemd hands over.
{
  services.agent-spawn = {
    enable = true;

    credentials = {
      anthropic-key = "/run/secrets/anthropic-key";
      github-token = "/run/agenix/github-token";
    };

    agents = {
      by-path.api_key_file = "/run/secrets/anthropic-key";
      by-credential = {
        api_key_file = "credential:anthropic-key";
        credentials = [
          {
            provider = "git";
            api_key_file = "credential:github-token";
            base_url = "https://github.com";
          }
        ];
      };
      # Names that only sound like a secret, and one that is refused elsewhere for what it is.
      with-variables.environment = {
        MAX_OUTPUT_TOKENS = "4096";
        SIGNING_KEY_FILE = "/srv/keys/public";
        EMPTY_TOKEN = "";
      };
    };
  };
}
