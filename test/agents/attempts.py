# attempts.py EXPRESSION...: evaluates each one and tells how it ended: the errno of the failure, or what came out.
import errno
import fcntl  # noqa: F401
import json
import os  # noqa: F401
import re  # noqa: F401
import signal  # noqa: F401
import socket  # noqa: F401
import struct  # noqa: F401
import subprocess  # noqa: F401
import sys


def attempt(expression):
    try:
        return "ok: %s" % (eval(expression),)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False).returncode


def connect(address, family=socket.AF_UNIX, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as client:
        client.settimeout(3)
        client.connect(address)
        return client.send(b"canary\n")


print(json.dumps({expression: attempt(expression) for expression in sys.argv[1:]}))
