# Names of earlier modules that have become something else.
{
  services.opencode-sandbox = {
    enable = true;
    workDir = "/srv/opencode";
    proxy = "http://10.100.1.1:3128";
    user = "opencode";
    apiKeyFile = "/run/secrets/anthropic-key";
  };
  services.opencode-agent-template.enable = true;
}
