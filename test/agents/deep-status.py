# Tells the confinement of a process that left its family: after a double fork, a session of its own and a new program.
import os
import subprocess
import sys

reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        text = subprocess.run(["cat", "/proc/self/status"], capture_output=True, check=True).stdout
        os.write(writing, text)
    os._exit(0)
os.close(writing)
with os.fdopen(reading) as answer:
    sys.stdout.write(answer.read())
