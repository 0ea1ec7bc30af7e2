# forks.py: starts sleeping children until that is refused and tells how many processes there were, itself included.
import errno
import json
import os
import signal

children = []
while True:
    try:
        child = os.fork()
    except OSError as error:
        refusal = errno.errorcode[error.errno]
        break
    if child == 0:
        signal.pause()
        os._exit(0)
    children.append(child)
visible = sum(1 for name in os.listdir("/proc") if name.isdigit())
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps({"processes": 1 + len(children), "refusal": refusal, "visible": visible}))
