# The modules that a build needs, as a fixed-output derivation: npm fetches what package-lock.json
# names, from the registry that it knows, and holds each to its integrity. `npm run nix:hash`
# records what comes out.
{
  lib,
  stdenvNoCC,
  nodejs,
  cacert,
}:
let
  inherit (stdenvNoCC.hostPlatform) system;
  hashes = lib.importJSON ./node-modules-hashes.json;
  root = ../.;
in
stdenvNoCC.mkDerivation {
  name = "agent-spawn-node-modules";

  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.unions [
      (root + "/package.json")
      (root + "/package-lock.json")
      (root + "/src/setup/checkout.mjs")
      (root + "/src/setup/nix-modules.mjs")
      (root + "/src/setup/report.mjs")
    ];
  };

  nativeBuildInputs = [
    nodejs
    cacert
  ];

  # A registry of one's own is named as for npm.
  impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [
    "npm_config_registry"
    "NODE_EXTRA_CA_CERTS"
  ];

  dontConfigure = true;
  # Files are taken as they are: the hash knows nothing of stores.
  dontFixup = true;

  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR npm_config_cache=$TMPDIR/npm
    export NODE_EXTRA_CA_CERTS=''${NODE_EXTRA_CA_CERTS:-$NIX_SSL_CERT_FILE}
    node src/setup/nix-modules.mjs ${system} "$TMPDIR/modules" "$TMPDIR/work"
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    mv "$TMPDIR/modules" "$out"
    runHook postInstall
  '';

  outputHashMode = "recursive";
  outputHash = hashes.${system} or (throw "agent-spawn has no package for ${system}");
}
