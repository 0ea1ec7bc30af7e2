# The programs, their units and what belongs to them, built by the same steps as outside Nix.
{
  lib,
  stdenv,
  callPackage,
  nodejs,
  bubblewrap,
  coreutils,
  findutils,
  gawk,
  getent,
  gnugrep,
  iproute2,
  nftables,
  systemd,
  util-linux,
}:
let
  root = ../.;
  manifest = lib.importJSON (root + "/package.json");
  nodeModules = callPackage ./node-modules.nix { inherit nodejs; };

  # Where the programs look for others before they look in the usual places.
  tools =
    map (package: "${lib.getBin package}/bin") [
      bubblewrap
      coreutils
      findutils
      gawk
      getent
      gnugrep
      iproute2
      nftables
      systemd
      util-linux
    ]
    ++ [ "${systemd}/lib/systemd" ];
in
stdenv.mkDerivation {
  pname = manifest.name;
  inherit (manifest) version;

  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.unions [
      (root + "/package.json")
      (root + "/package-lock.json")
      (root + "/schema")
      (root + "/src")
      (root + "/tsconfig.json")
      (root + "/units")
    ];
  };

  strictDeps = true;
  nativeBuildInputs = [ nodejs ];

  dontConfigure = true;
  # The interpreter and the tools are written by our own installer; koffi's native module has
  # nothing to strip.
  dontPatchShebangs = true;
  dontStrip = true;

  buildPhase = ''
    runHook preBuild
    cp -r ${nodeModules} node_modules
    node src/setup/build.mjs
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    node src/setup/install-system.mjs --package --prefix "$out" --node ${lib.getExe nodejs} \
      ${lib.concatMapStringsSep " " (directory: "--tools ${directory}") tools}
    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    for command in agentctl agent-spawn; do
      test "$("$out/bin/$command" --version)" = "$command ${manifest.version}"
    done
    "$out/bin/agentctl" check --offline schema/examples/*
    # Cards are judged without a host as on one with the usual places.
    if grep -rn /usr/lib "$out"/lib/{systemd,sysusers.d,tmpfiles.d} ||
      grep -rn --exclude=card-check.cjs /usr/lib/agent-spawn "$out"; then
      echo "something of a host outside the store is named" >&2
      exit 1
    fi
    runHook postInstallCheck
  '';

  passthru = {
    inherit nodeModules tools;
  };

  meta = {
    inherit (manifest) description;
    longDescription = ''
      Runs AI coding agents on a Linux host as units of systemd, each with a user, limits, a view of
      the file system made from an allowlist and an egress proxy that holds its keys.
    '';
    license = lib.licenses.asl20;
    mainProgram = "agent-spawn";
    maintainers = [ ];
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    sourceProvenance = [
      lib.sourceTypes.fromSource
      lib.sourceTypes.binaryNativeCode
    ];
  };
}
