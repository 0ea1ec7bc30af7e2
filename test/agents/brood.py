# Leaves the tree of its processes in every way there is, tells when all of them run, and waits.
import os
import signal
import subprocess
import time


def sleep_deaf():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if STUBBORN else signal.SIG_DFL)
    os.write(started, b".")
    while True:
        time.sleep(3600)


STUBBORN = "stubborn" in os.environ.get("BROOD", "")
reading, started = os.pipe()
if os.fork() == 0:
    sleep_deaf()
if os.fork() == 0:
    os.setsid()
    sleep_deaf()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sleep_deaf()
    os._exit(0)
subprocess.Popen(["nohup", "sleep", "infinity"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
for _ in range(3):
    os.read(reading, 1)
print("ready", flush=True)
sleep_deaf()
