# Opens files until that is refused and tells the largest descriptor it got and why there was no further one.
import errno
import json
import os

largest = 2
try:
    while True:
        largest = os.open("/dev/null", os.O_RDONLY)
except OSError as error:
    print(json.dumps({"largest": largest, "refusal": errno.errorcode[error.errno]}))
