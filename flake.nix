{
  description = "Confines AI coding agents on a Linux host with bubblewrap and systemd";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forSystems =
        make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = forSystems (pkgs: rec {
        agent-spawn = pkgs.callPackage ./nix/package.nix { };
        default = agent-spawn;
      });

      overlays.default = import ./nix/overlay.nix;

      nixosModules = rec {
        agent-spawn = ./nix/flake-module.nix;
        default = agent-spawn;
      };

      nixosConfigurations.example = nixpkgs.lib.nixosSystem {
        modules = [
          self.nixosModules.default
          ./nix/examples/host.nix
          { nixpkgs.hostPlatform = "x86_64-linux"; }
        ];
      };

      checks = forSystems (
        pkgs:
        import ./nix/checks.nix {
          inherit pkgs;
          inherit (nixpkgs) lib;
        }
      );

      devShells = forSystems (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });

      formatter = forSystems (pkgs: pkgs.nixfmt-tree);
    };
}
