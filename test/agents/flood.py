# Makes empty files in /tmp until that is refused, at most ten million.
import errno
import os

try:
    for number in range(10_000_000):
        os.close(os.open("/tmp/%d" % number, os.O_WRONLY | os.O_CREAT))
except OSError as error:
    print(errno.errorcode[error.errno], flush=True)
