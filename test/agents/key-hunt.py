# key-hunt.py: looks for texts in everything that this process can read, and prints where each was found. What to look for
# comes masked, on standard input, so that nobody but this process holds it; its own memory is left out. One order:
#   needles  {NAME: [HEX, ...]}  each byte of a needle is xored with `mask`
#   since    files that have not changed since then cannot hold anything that is newer
#   roots    directories, with everything below them on whatever file system
#   memory   also the memory of every process that lets itself be read
#   skip     process ids that are left out: they hold the texts because they are the hunters
#   watch    instead: arguments and environments of all processes, again and again, until standard input ends
import json
import os
import re
import select
import stat
import sys

PIECE = 1 << 20
OVERLAP = 512
FILE_MAX = 1 << 28
# Files of the kernel that never end, wait for something, or are the whole memory of the machine.
LEFT_OUT = {"kcore", "kmsg", "mem", "pagemap", "clear_refs", "kpagecount", "kpageflags", "kpagecgroup", "trace_pipe", "task"}

order = json.loads(sys.stdin.readline())
needles = {name: [bytes(byte ^ order["mask"] for byte in bytes.fromhex(text)) for text in texts]
           for name, texts in order["needles"].items()}
skip = {str(pid) for pid in order.get("skip", [])} | {"self", "thread-self", str(os.getpid())}
found = set()
looked = 0


def look_at(data, place):
    for name, texts in needles.items():
        if any(text in data for text in texts):
            found.add("%s in %s" % (name, place))


def name_of(pid):
    try:
        with open("/proc/%s/comm" % pid) as file:
            return file.read().strip()
    except OSError:
        return "gone"


# Process ids say nothing from one run to the next, and there may be more than one mount of the same processes.
def place_of(path):
    match = re.match(r"(?:/run/private-host)?/proc/(\d+)(/.*)", path)
    return path if match is None else "/proc/<%s>%s" % (name_of(match[1]), match[2])


def read_file(path):
    global looked
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY)
    except OSError:
        return
    looked += 1
    try:
        tail, total = b"", 0
        while total < FILE_MAX:
            piece = os.read(fd, PIECE)
            if not piece:
                return
            total += len(piece)
            look_at(tail + piece, place_of(path))
            tail = piece[-OVERLAP:]
    except OSError:
        pass
    finally:
        os.close(fd)


def attributes(path):
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError:
        return []


# Contents, names, targets of links, attributes.
def walk(directory):
    names, inner = [], []
    try:
        entries = [entry for entry in os.scandir(directory) if entry.name not in LEFT_OUT]
    except OSError:
        return
    for entry in entries:
        try:
            about = entry.stat(follow_symlinks=False)
            names.append(os.readlink(entry.path) if entry.is_symlink() else "")
        except OSError:
            continue
        names.append(entry.name)
        if stat.S_ISDIR(about.st_mode) and not (directory.endswith("/proc") and entry.name in skip):
            inner.append(entry.path)
        # What the kernel makes up has no size and no age.
        elif stat.S_ISREG(about.st_mode) and (about.st_size == 0 or about.st_ctime >= order["since"]):
            read_file(entry.path)
            for name in attributes(entry.path):
                look_at(os.getxattr(entry.path, name, follow_symlinks=False), "an attribute of " + place_of(entry.path))
    look_at(os.fsencode("\n".join(names)), "a name or a link in " + place_of(directory))
    for path in inner:
        walk(path)


def read_memory(pid):
    try:
        with open("/proc/%s/maps" % pid) as maps, open("/proc/%s/mem" % pid, "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                start, end = (int(text, 16) for text in span.split("-"))
                if rights[0] == "r" and start < 1 << 63 and "[vvar" not in line:
                    read_span(memory, start, end, "/proc/<%s>/mem" % name_of(pid))
    except OSError:
        return


def read_span(memory, start, end, place):
    tail = b""
    for at in range(start, end, PIECE):
        try:
            memory.seek(at)
            piece = memory.read(min(PIECE, end - at)) or b""
        except OSError:
            return
        # Most of what a process has mapped it has never touched.
        if piece.strip(b"\0"):
            look_at(tail + piece, place)
        tail = piece[-OVERLAP:]


def processes():
    return [name for name in os.listdir("/proc") if name.isdigit() and name not in skip]


def watch():
    seen, rounds = set(), 0
    print(json.dumps("watching"), flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        rounds += 1
        for pid in processes():
            for what in ("cmdline", "environ"):
                try:
                    with open("/proc/%s/%s" % (pid, what), "rb") as file:
                        data = file.read()
                except OSError:
                    continue
                seen.add((pid, data[:64]))
                look_at(data, "/proc/<%s>/%s" % (name_of(pid), what))
    return {"found": sorted(found), "rounds": rounds, "seen": len(seen)}


if order.get("watch"):
    print(json.dumps(watch()), flush=True)
else:
    for root in order["roots"]:
        walk(root)
    for pid in processes() if order.get("memory") else []:
        read_memory(pid)
    print(json.dumps({"found": sorted(found), "looked": looked}), flush=True)
