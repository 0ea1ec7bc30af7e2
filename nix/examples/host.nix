# A machine with one agent, as small as it gets.
{
  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  system.stateVersion = "25.11";

  services.agent-spawn = {
    enable = true;
    agents.reviewer = {
      agent = "claude-code";
      api_key_file = "/run/secrets/anthropic";
      autostart = true;
    };
  };
}
