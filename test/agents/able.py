# Does what agents and their tools must be able to do and tells what failed.
import ctypes
import json
import mmap
import os
import select
import socket
import subprocess
import threading

libc = ctypes.CDLL(None, use_errno=True)
WORKER = "new (require('worker_threads').Worker)('0', { eval: true })"


def loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


CHECKS = {
    "loopback": loopback, "unix socket": lambda: socket.socket(socket.AF_UNIX).bind("able.sock"), "socket pair": socket.socketpair,
    "epoll": select.epoll, "memfd": lambda: os.memfd_create("able"),
    "thread": lambda: threading.Thread(target=int).start(),
    "inotify": lambda: 1 / (libc.inotify_init1(0) + 1), "timer": lambda: 1 / (libc.timerfd_create(1, 0) + 1),
    "landlock": lambda: 1 / (libc.syscall(444, None, 0, 1) + 1), "code pages": lambda: mmap.mmap(-1, 4096, prot=7),
    "seccomp": lambda: 1 / (libc.syscall(317, 2, 0, ctypes.byref(ctypes.c_uint32(0x7FFF0000))) + 1),
    "git": lambda: subprocess.run(["git", "init", "-q", "/tmp/able"], check=True, capture_output=True),
    "node": lambda: subprocess.run(["node", "-e", WORKER], check=True),
    "terminal": os.openpty,
}
failed = {}
for name, check in CHECKS.items():
    try:
        check()
    except Exception as error:  # noqa: BLE001
        failed[name] = repr(error)
print(json.dumps(failed))
