# Whether something gives a secret away. Builtins only; what is asked about never becomes part of an
# answer.
let
  inherit (builtins) any isPath match substring;

  # Last words of the names of variables that hold a secret, rather than tell where one is or how
  # many there may be.
  words = "(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)";

  # Beginnings of keys and tokens, as their providers write them, with something behind that makes
  # them one.
  beginnings = [
    "sk-[A-Za-z0-9_-]{16,}"
    "AIza[A-Za-z0-9_-]{16,}"
    "gh[opsur]_[A-Za-z0-9]{16,}"
    "github_pat_[A-Za-z0-9_]{16,}"
    "glpat-[A-Za-z0-9_-]{16,}"
    "xox[abpr]-[A-Za-z0-9-]{10,}"
    "AKIA[A-Z0-9]{12,}"
  ];
  length = builtins.stringLength builtins.storeDir;
in
{
  # Whether a variable looks like one that holds a secret.
  isVariable =
    name: value:
    value != ""
    && (
      match "(.*_)?${words}" name != null
      || any (beginning: match beginning value != null) beginnings
    );

  # What brings a file to the store, which everybody on the machine can read; null of others.
  stored =
    file:
    if isPath file then
      "is a path literal, which Nix would copy to its store"
    else if substring 0 (length + 1) (toString file) == "${builtins.storeDir}/" then
      "is in the Nix store"
    else
      null;
}
