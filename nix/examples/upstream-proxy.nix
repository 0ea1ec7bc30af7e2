# A network whose only way out is a proxy: what agents may reach goes there, and what they may not
# is refused before it is asked.
{
  services.agent-spawn = {
    enable = true;
    proxy = "http://10.100.1.1:3128";

    agents.reviewer = {
      agent = "claude-code";
      api_key_file = "/run/secrets/anthropic-key";
    };

    # Another proxy than the others', which wants a user name and a password: a line USER:PASSWORD
    # in a file of root's.
    agents.packager = {
      command = [
        "make"
        "package"
      ];
      allowed_hosts = [ "packages.example.org" ];
      proxy = "https://proxy.example.org:3129";
      proxy_credentials_file = "/run/secrets/proxy-credentials";
    };
  };
}
