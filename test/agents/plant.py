# plant.py OUTSIDE CANARY: leaves a workspace full of traps for whoever walks it next.
# OUTSIDE is a directory of the host, CANARY a file of it, by the names they have there.
import os
import sys

outside, canary = sys.argv[1:]
for name in (".git", ".config", ".cache", "tmp", "home", "etc", "dev", "proc", "workspace", "usr"):
    os.symlink(outside, name)
    os.symlink("/oldroot" + outside, name + ".old")
os.symlink(canary, "passwd")
os.symlink("/", "root")
os.symlink("loop", "loop")
os.makedirs("deep/er")
os.symlink("../../.." + outside, "deep/er/up")
for name in (b"new\nline", b"\x1b[2Jescape", b"\xff\xfe not text", b"n" * 255, b"-rf", b"$(reboot)", b" blank "):
    with open(name, "wb") as file:
        file.write(b"mine\n")
os.mkfifo("fifo")
with open("program", "w") as file:
    file.write("#!/bin/sh\nid -u\n")
os.chmod("program", 0o6755)
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
print("planted", flush=True)
