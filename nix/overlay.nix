# Adds `agent-spawn` to a package set.
final: _: { agent-spawn = final.callPackage ./package.nix { }; }
