# burn.py SECONDS WORKERS: keeps that many processors busy for that long.
import os
import sys
import time

until = time.monotonic() + float(sys.argv[1])
for _ in range(int(sys.argv[2]) - 1):
    if os.fork() == 0:
        break
while time.monotonic() < until:
    pass
