# Programs that building and `npm test` call. What boots a private host takes systemd itself and the
# libraries of users from /usr: those tests need a distribution that has them there.
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
