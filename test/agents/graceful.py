# Takes half a second to finish when it is asked to, and leaves a file to show for it.
import signal
import sys
import time


def finish(_number, _frame):
    time.sleep(0.5)
    with open("/workspace/finished", "w") as file:
        file.write("all of it\n")
    sys.exit(0)


signal.signal(signal.SIGTERM, finish)
print("ready", flush=True)
while True:
    signal.pause()
