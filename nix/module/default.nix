# services.agent-spawn: agents declared as options, each confined by bubblewrap and systemd.
{
  imports = [
    ./options.nix
    ./cards.nix
    ./daemon.nix
    ./assertions.nix
    ./secrets.nix
    ./links.nix
    ./renames.nix
  ];
}
