# Configurations whose outcome is recorded, by the name of their directory below nix/golden.
{
  callers = ./cases/callers.nix;
  elsewhere = ./cases/elsewhere.nix;
  every-key = ./cases/every-key.nix;
  # One machine before and after a switch, which a test puts in place on a real systemd.
  generation-1 = import ./generations.nix { generation = 1; };
  generation-2 = import ./generations.nix { generation = 2; };
  gone-names = ./cases/gone-names.nix;
  links = ./cases/links.nix;
  minimal = ./cases/minimal.nix;
  old-names = ./cases/old-names.nix;
  refused = ./cases/refused.nix;
  secrets = ./cases/secrets.nix;
}
