# fill.py DIRECTORY...: fills each directory in turn and tells how many bytes went in and why no more did.
import errno
import json
import os
import sys

result = {}
for directory in sys.argv[1:]:
    path = os.path.join(directory, "filling")
    size = 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            size += os.write(fd, b"x" * 65536)
    except OSError as error:
        result[directory] = {"bytes": size, "refusal": errno.errorcode[error.errno]}
    os.close(fd)
    os.unlink(path)
print(json.dumps(result))
