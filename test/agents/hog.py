# hog.py KIND MIB: takes MIB mebibytes of memory of one kind, piece by piece, and tells when it has them.
import mmap
import os
import sys

kind, mebibytes = sys.argv[1], int(sys.argv[2])
piece = b"x" * (1 << 20)


def sink():
    if kind == "tmp":
        return open("/tmp/hog", "wb", 0)
    if kind == "shm":
        return open("/dev/shm/hog", "wb", 0)
    return os.fdopen(os.memfd_create("hog"), "wb", 0)


if kind == "heap":
    held = []
    for _ in range(mebibytes):
        region = mmap.mmap(-1, 1 << 20)
        region.write(piece)
        held.append(region)
else:
    held = sink()
    for _ in range(mebibytes):
        held.write(piece)
print("got", mebibytes, flush=True)
