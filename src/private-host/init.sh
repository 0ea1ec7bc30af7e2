#!/bin/sh
# init.sh PHASE SCRATCH
#
# The first process of a private host. It runs as PID 1 of new pid, mount, net, ipc and uts namespaces and turns into
# systemd. Everything it mounts is in its own mount namespace, so nothing of it outlives the last process there.
#
# SCRATCH, made by the program that boots, holds:
#   cgroups   one "TYPE OPTIONS NAME DIRECTORY" line per hierarchy; DIRECTORY is our own cgroup in the machine's mount
#   kept      directories that stay the machine's own although an overlay covers their parent, one per line
#   trees     directories whose contents are copied over the root, one per line
#   units     stock units that a boot needs, one per line
#   systemd   path of the systemd binary
#   boot-id   what /proc/sys/kernel/random/boot_id reads
#   private/  an empty directory
# On descriptor 3 it writes its process id as the machine sees it, once the host is assembled.
set -eu
umask 022

phase=$1
scratch=$2
private=$scratch/private

# Joins the cgroups first: from here on the janitor finds every process of this host in them.
join() {
  while read -r _ _ _ directory; do
    echo 0 >"$directory/cgroup.procs"
  done <"$scratch/cgroups"
}

# An empty memory-backed file system holds all that this host writes outside the directories it shares.
mount_private() {
  mount -n -t tmpfs -o mode=0755,nosuid private-host "$private"
  cd "$private"
  set -- run dev kept bound empty units etc-systemd/system
  for name in etc usr opt var; do set -- "$@" "layers/$name/upper" "layers/$name/work"; done
  mkdir -p "$@"
}

# Bind mounts survive the overlay that hides the place they came from.
set_kept_aside() {
  number=0
  while IFS= read -r directory; do
    number=$((number + 1))
    mkdir "kept/$number"
    mount -n --rbind "$directory" "kept/$number"
  done <"$scratch/kept"
}

put_kept_back() {
  number=0
  while IFS= read -r directory; do
    number=$((number + 1))
    mount -n --move "kept/$number" "$directory"
  done <"$scratch/kept"
}

# Changes below these directories stay in memory. Containers bind some files of /etc one by one: an overlay would show
# the files below, so the contents of those are copied.
mount_overlays() {
  set --
  while read -r _ _ _ _ point _; do
    case $point in /etc/hosts | /etc/hostname | /etc/resolv.conf) set -- "$@" "$point" ;; esac
  done </proc/self/mountinfo
  if [ $# -gt 0 ]; then cp --parents "$@" bound; fi
  for name in etc usr opt var; do
    if [ ! -d "/$name" ] || [ -L "/$name" ]; then continue; fi
    mount -n -t overlay -o "lowerdir=/$name,upperdir=$private/layers/$name/upper,workdir=$private/layers/$name/work" \
      private-host "/$name"
  done
  for point; do cat "bound$point" >"$point"; done
}

# Only the units that a boot needs are visible, and no generator.
select_units() {
  unit_directory=/usr/lib/systemd/system
  set --
  while read -r unit; do
    if [ -e "$unit_directory/$unit" ]; then set -- "$@" "$unit_directory/$unit"; fi
  done <"$scratch/units"
  cp -a -t units "$@"
  ln -s multi-user.target units/default.target
  mount -n --bind units "$unit_directory"
  mount -n --bind etc-systemd /etc/systemd
  for name in /usr/lib/systemd/system-generators /usr/lib/systemd/system-environment-generators \
    /usr/local/lib/systemd/system; do
    if [ -d "$name" ]; then mount -n --bind empty "$name"; fi
  done
}

# Directory by directory: copying onto the root itself would touch what no overlay covers.
install_trees() {
  while IFS= read -r tree; do
    for name in etc usr; do
      if [ -d "$tree/$name" ]; then cp -R -P "$tree/$name/." "/$name"; fi
    done
  done <"$scratch/trees"
}

write_identity() {
  tr -d '-' <"$scratch/boot-id" >/etc/machine-id
  sed -i -E '/^(passwd|group|shadow|gshadow):/{/[[:space:]]systemd([[:space:]]|$)/!s/$/ systemd/}' /etc/nsswitch.conf
}

# Device nodes are copied; terminals stay the machine's, so that a terminal keeps its name. systemd adds the links.
mount_devices() {
  mount -n -t tmpfs -o mode=0755,nosuid,size=4m private-host dev
  cd /dev
  set --
  for name in null zero full random urandom tty ptmx fuse kvm net/tun; do
    if [ -e "$name" ]; then set -- "$@" "$name"; fi
  done
  cp -a --parents "$@" "$private/dev"
  cd "$private"
  mkdir dev/pts dev/shm
  mount -n --bind /dev/pts dev/pts
  mount -n -t tmpfs -o mode=1777,nosuid,nodev private-host dev/shm
  mount -n --move dev /dev
}

mount_run() {
  mkdir -m 0700 run/private-host run/private-host/proc
  mkfifo -m 0600 run/private-host/ready
  cp "$scratch/boot-id" run/private-host/boot-id
  mount -n --bind run /run
  # As on a machine that systemd booted: it hands credentials to units by mounts made in a namespace aside (LoadCredential=).
  mount -n --make-shared /run
}

# /proc/sys is read-only: kernel settings are the machine's. Its branch `user` is not, because bubblewrap's
# --disable-userns writes the limit of its own user namespace there. The second, complete /proc is never used by anybody:
# the kernel lets an ordinary user namespace mount a /proc only where one is visible as a whole (mount_namespaces(7)).
mount_proc() {
  mount -n -t proc proc /proc
  mount -n -t proc proc /run/private-host/proc
  mount -n --bind /proc/sys /proc/sys
  mount -n -o remount,bind,ro /proc/sys
  mount -n --bind /run/private-host/proc/sys/user /proc/sys/user
  mount -n --bind /run/private-host/boot-id /proc/sys/kernel/random/boot_id
  mount -n -o remount,bind,ro /proc/sys/kernel/random/boot_id
  if [ -e /proc/sysrq-trigger ]; then
    mount -n --bind /proc/sysrq-trigger /proc/sysrq-trigger
    mount -n -o remount,bind,ro /proc/sysrq-trigger
  fi
}

# The root of each hierarchy is our own cgroup, because this runs in a cgroup namespace made there. The directory that
# holds version 1 hierarchies is read-only before systemd sees it: it would mount what is missing, for the whole machine.
mount_cgroups() {
  mount -n -t sysfs -o nosuid,nodev,noexec sysfs /sys
  mount -n -o remount,bind,ro /sys
  read -r type options name _ <"$scratch/cgroups"
  if [ "$name" = . ]; then
    mount -n -t "$type" cgroup2 /sys/fs/cgroup
    return
  fi
  mount -n -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=1m private-host /sys/fs/cgroup
  cd /sys/fs/cgroup
  set --
  while read -r _ _ name _; do set -- "$@" "$name"; done <"$scratch/cgroups"
  mkdir "$@"
  while read -r type options name _; do
    if [ "$options" = - ]; then
      mount -n -t "$type" cgroup "$name"
    else
      mount -n -t "$type" -o "$options" cgroup "$name"
    fi
    # systemd looks for each controller of a joint hierarchy under a name of its own.
    case $name in
      *,*) for controller in $(echo "$name" | tr , ' '); do ln -s "$name" "$controller"; done ;;
    esac
  done <"$scratch/cgroups"
  cd "$private"
  mount -n -o remount,ro,mode=0755,nosuid,nodev,noexec /sys/fs/cgroup
}

case $phase in
  join)
    join
    exec unshare --cgroup -- /bin/sh "$0" assemble "$scratch"
    ;;
  assemble)
    read -r systemd <"$scratch/systemd"
    # The machine's /proc is still mounted here: it tells the process id that the machine knows.
    read -r pid _ </proc/self/stat
    mount_private
    set_kept_aside
    mount_overlays
    put_kept_back
    select_units
    install_trees
    write_identity
    mount_devices
    # Last use of SCRATCH by the name it has on the machine: /run is covered after mount_cgroups.
    mount_cgroups
    mount_run
    mount_proc
    cd /
    echo "$pid" >&3
    exec 3>&- </dev/null >/dev/null 2>&1
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 container=private-host \
      SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 \
      "$systemd" --system --show-status=false --log-target=journal
    ;;
esac
