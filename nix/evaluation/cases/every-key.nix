# Every key that a card and the configuration can have. No agent has all: some exclude each other.
{
  boot.kernel.sysctl."net.ipv4.ip_forward" = 1;

  services.agent-spawn = {
    enable = true;

    settings = {
      uid_first = 1800000000;
      uid_count = 8192;
      publish_addresses = [
        "loopback"
        "any"
      ];
      allow_host_network = true;
      allow_readable_keys = true;
      veth_range = "172.30.0.0/16";
      proxy = "https://proxy.example.org:3128";
      restart_changed = false;
      log_level = "debug";
    };

    agents = {
      proxied = {
        agent_id = "through-proxy";
        workspace = "/srv/checkouts/proxied";
        description = "Uses what a proxied agent can have";
        labels = {
          team = "shop";
          "example.org/ticket" = "SHOP-17";
        };
        agent = "claude-code";
        command = [
          "bash"
          "-c"
          ''
            make test
            make report
          ''
        ];
        environment = {
          CI = "1";
          LANG = "de_DE.UTF-8";
        };
        api_provider = "anthropic";
        api_key_file = "/run/secrets/anthropic-key";
        api_key_delivery = "gateway";
        credentials = [
          {
            provider = "git";
            api_key_file = "/run/secrets/github-token";
            base_url = "https://github.com";
            username = "oauth2";
          }
          {
            provider = "custom";
            api_key_file = "credential:custom-key";
            base_url = "https://llm.example.com/v1";
            header = "Authorization: Token";
          }
        ];
        budget = {
          requests = 200;
          tokens = 2000000;
        };
        allowed_hosts = [
          "*.githubusercontent.com"
          {
            host = "packages.example.org";
            ports = [ 443 ];
            protocol = "tcp";
            reason = "Packages of the build";
          }
          {
            host = "mirror.example.org:80";
            methods = [
              "GET"
              "HEAD"
            ];
            paths = [ "/packages" ];
          }
        ];
        denied_hosts = [
          {
            host = "*.internal.example.org";
            ports = [ 80 ];
            reason = "Nothing may be posted there";
          }
        ];
        proxy = "http://10.100.1.1:3128";
        proxy_credentials_file = "/run/secrets/proxy-credentials";
        network = {
          mode = "isolated";
          max_bytes = 1073741824;
          requests_per_minute = 600;
          publish = [
            {
              port = 8080;
              listen = "127.0.0.1:18080";
            }
          ];
        };
        a2a_port = 8081;
        filesystem = {
          read_only = [ "/srv/datasets" ];
          home = "workspace";
        };
        resource_limits = {
          memory_mb = 2048;
          memory_high_mb = 1536;
          cpu_shares = 512;
          cpu_percent = 150;
          io_weight = 50;
          max_processes = 200;
          max_open_files = 4096;
          tmp_mb = 1024;
        };
        ttl_seconds = 3600;
        stop_timeout_seconds = 30;
        restart = "no";
        autostart = true;
      };

      trusted = {
        api_key_delivery = "env";
        credentials = [
          {
            provider = "openai";
            api_key_file = "/run/secrets/openai-key";
            variable = "LLM_API_KEY";
          }
        ];
      };

      linked.network = {
        mode = "veth";
        allow = [
          {
            address = "192.0.2.10";
            port = 5432;
            protocol = "tcp";
          }
        ];
      };
    };
  };
}
