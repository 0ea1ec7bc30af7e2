#!/bin/sh
# Runs inside the VM, as root, started by vm-command.service: installs the checkout as on any machine, runs the command
# of this run, and tells its exit status on the control port. Standard input and output of the command are the runner's.
set -u

# By the kernel's names: the links that udev makes come a second later.
for port in /sys/class/virtio-ports/*; do
  case $(cat "$port/name") in
    stdout) exec >"/dev/${port##*/}" ;;
    stderr) exec 2>"/dev/${port##*/}" ;;
    control) exec 3>"/dev/${port##*/}" ;;
  esac
done
cd /srv/agent-spawn || exit 1
export AGENT_SPAWN_HOST=vm HOME=/root LANG=C.UTF-8
echo "booted" >&3

# Emulated by a busy machine, a daemon takes longer to start than on any host that is meant for it.
for unit in agent-spawnd agent-egressd; do
  mkdir -p "/run/systemd/system/$unit.service.d"
  printf '[Service]\nTimeoutStartSec=180\n' >"/run/systemd/system/$unit.service.d/emulated.conf"
done

# Standard output belongs to the command alone.
if ! node src/setup/install-system.mjs >&2; then
  journalctl --boot --no-pager --lines=40 >&2
  echo "failed: the installation" >&3
  exit 1
fi
echo "ready" >&3

sh ./vm-command.sh 3>&-
echo "status $?" >&3
