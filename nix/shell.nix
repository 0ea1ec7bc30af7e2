# What `npm test` needs, apart from a systemd that runs: the private host brings that.
{
  mkShellNoCC,
  bubblewrap,
  curl,
  dbus,
  git,
  iproute2,
  nftables,
  nix,
  nixfmt-tree,
  nodejs,
  openssl,
  procps,
  python3,
  squid,
  systemd,
  tinyproxy,
  util-linux,
}:
mkShellNoCC {
  packages = [
    bubblewrap
    curl
    dbus
    git
    iproute2
    nftables
    nix
    nixfmt-tree
    nodejs
    openssl
    procps
    (python3.withPackages (modules: [ modules.pip ]))
    squid
    systemd
    tinyproxy
    util-linux
  ];
}
