#!/bin/sh
# janitor.sh SCRATCH
#
# Waits until its standard input ends, which it does when the program that booted a private host has ended in whatever
# way, and removes what that host left on the machine: processes and cgroups, controllers switched on for it, private
# temporary directories of its units, and SCRATCH itself. Mounts and namespaces end with the processes.
# SCRATCH goes last, so that whoever boots next can finish what a killed janitor began.
set -u
trap '' HUP INT TERM
cd /

scratch=$1
# The kernel frees a cgroup some time after its last process has ended: pauses of 20 ms, 30 s at most.
attempts_max=1500

while read -r _; do :; done

# Kills what still runs in our cgroups, given as arguments, and removes them; fails when one is left.
remove_cgroups() {
  for pid in $(find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null); do
    # Members of another pid namespace read as 0: they are not ours to know.
    [ "$pid" = 0 ] || kill -KILL "$pid" 2>/dev/null
  done
  find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
  for directory; do
    [ ! -d "$directory" ] || return 1
  done
}

set --
if [ -f "$scratch/cgroups" ]; then
  while read -r _ _ _ directory; do
    [ ! -d "$directory" ] || set -- "$@" "$directory"
  done <"$scratch/cgroups"
fi
attempt=0
until [ $# = 0 ] || remove_cgroups "$@"; do
  attempt=$((attempt + 1))
  [ $attempt -lt $attempts_max ] || exit 1
  sleep 0.02
done

# A controller that somebody else has come to use stays on: the kernel refuses.
if [ -f "$scratch/enabled" ]; then
  while read -r file controller; do
    echo "-$controller" 2>/dev/null >"$file"
  done <"$scratch/enabled"
fi

if [ -s "$scratch/boot-id" ]; then
  boot_id=$(tr -d '-' <"$scratch/boot-id")
  for parent in /tmp /var/tmp; do
    for directory in "$parent/systemd-private-$boot_id-"*; do
      [ ! -d "$directory" ] || rm -rf --one-file-system -- "$directory"
    done
  done
fi

rm -rf --one-file-system -- "$scratch"
