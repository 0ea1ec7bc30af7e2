# puppet.py: does what it is told, a JSON line each on standard input, and answers with a line each. Orders:
#   {"attempt": EXPRESSION}            the errno of the failure, or what came out
#   {"run": [WORDS], "input": TEXT}    status, stdout and stderr of a program
#   {"talk": [STEPS], "to": [HOST, PORT]}  what was read on one connection, see Talk; text is one character for a byte
#   {"open": NAME, "to": ..., "talk": ...} the same, and keeps the connection
#   {"on": NAME, "talk": [STEPS]}      goes on with it
import errno
import json
import os  # noqa: F401
import socket
import ssl
import struct
import subprocess
import sys
import threading  # noqa: F401

PATIENCE = 10


def name_of(error):
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls: %s" % error.reason
    return errno.errorcode.get(getattr(error, "errno", None), str(error))


class Talk:
    def __init__(self, to):
        family = socket.AF_UNIX if isinstance(to, str) else socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(to if isinstance(to, str) else tuple(to))
        if not isinstance(to, str):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def step(self, word, value):
        return getattr(self, "do_" + word)(value)

    def do_send(self, text):
        self.socket.sendall(text.encode("latin-1"))

    # One byte at a time.
    def do_drip(self, text):
        for byte in text.encode("latin-1"):
            self.socket.sendall(bytes([byte]))

    def fill(self):
        piece = self.socket.recv(65536)
        self.held += piece
        return piece != b""

    def take(self, count):
        taken, self.held = self.held[:count], self.held[count:]
        return taken.decode("latin-1")

    # "answer": one HTTP answer with its body; "head": only its head; "end": all up to the end; a number: so many bytes.
    def do_read(self, what):
        if isinstance(what, int):
            while len(self.held) < what and self.fill():
                pass
            return self.take(what)
        if what == "end":
            while self.fill():
                pass
            return self.take(len(self.held))
        while b"\r\n\r\n" not in self.held:
            if not self.fill():
                return self.take(len(self.held))
        length = self.held.index(b"\r\n\r\n") + 4
        head = self.take(length)
        return head if what == "head" else head + self.body(head.lower())

    def body(self, head):
        if "\r\ntransfer-encoding: chunked" in head:
            text = ""
            while True:
                while b"\r\n" not in self.held:
                    if not self.fill():
                        return text
                size = int(self.take(self.held.index(b"\r\n") + 2), 16)
                text += self.do_read(size)
                self.do_read(2)
                if size == 0:
                    return text
        if "\r\ncontent-length: " in head:
            return self.do_read(int(head.split("\r\ncontent-length: ")[1].split("\r\n")[0]))
        return "" if head.startswith(("http/1.1 2", "http/1.1 101")) else self.do_read("end")

    # TLS from here on, checked against the file `authority` where there is one.
    def do_tls(self, how):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if how.get("authority"):
            context.load_verify_locations(how["authority"])
            context.verify_mode = ssl.CERT_REQUIRED
        if how.get("alpn"):
            context.set_alpn_protocols(how["alpn"])
        self.socket = context.wrap_socket(self.socket, server_hostname=how.get("name"))
        return "%s %s" % (self.socket.version(), self.socket.selected_alpn_protocol())

    def do_shut(self, _):
        self.socket.shutdown(socket.SHUT_WR)

    def do_close(self, how):
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def talk(connection, steps):
    said = []
    for step in steps:
        (word, value), = step.items()
        try:
            told = connection.step(word, value)
        except (OSError, ValueError) as error:
            said.append("error: " + name_of(error))
            continue
        if told is not None:
            said.append(told)
    return said


def attempt(expression):
    try:
        return "ok: %s" % (eval(expression),)
    except OSError as error:
        return name_of(error)


def datagram(text, address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return one.sendto(text, address)


def connect(address, family=socket.AF_INET):
    with socket.socket(family) as one:
        one.settimeout(PATIENCE)
        one.connect(address)
        return one.send(b"canary\n")


# Ports of an address that take a connection.
def scan(address, ports, family=socket.AF_INET):
    found = []
    for port in ports:
        with socket.socket(family) as one:
            one.settimeout(1)
            # A port that the kernel chose for this very socket is connected to itself.
            if one.connect_ex((address, port)) == 0 and one.getsockname() != one.getpeername():
                found.append(port)
    return found


kept = {}


def obey(order):
    if "attempt" in order:
        return attempt(order["attempt"])
    if "run" in order:
        ended = subprocess.run(order["run"], input=order.get("input", ""), capture_output=True, text=True, check=False)
        return {"status": ended.returncode, "stdout": ended.stdout, "stderr": ended.stderr}
    if "on" in order:
        return talk(kept[order["on"]], order["talk"])
    try:
        connection = Talk(order.get("to", ["127.0.0.1", 3128]))
    except OSError as error:
        return ["error: " + name_of(error)]
    if "open" in order:
        kept[order["open"]] = connection
        return talk(connection, order["talk"])
    said = talk(connection, order["talk"])
    connection.socket.close()
    return said


print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    print(json.dumps(obey(json.loads(line))), flush=True)
