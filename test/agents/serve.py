# Listens on the ports named on the command line and serves one request per connection:
# "who" tells the name given as first argument and the peer, "send N" sends N bytes that depend on their place,
# "take N" takes N bytes and tells their SHA-256. Says "ready" once it listens.
import hashlib
import socket
import sys
import threading

PIECE = bytes(range(251)) * 256


def serve(connection, peer):
    with connection, connection.makefile("rb") as file:
        words = file.readline().decode().split()
        if words[:1] == ["send"]:
            left = int(words[1])
            while left > 0:
                connection.sendall(PIECE[:left])
                left -= len(PIECE)
        elif words[:1] == ["take"]:
            digest, left = hashlib.sha256(), int(words[1])
            while left > 0:
                piece = file.read(min(left, 65536))
                if not piece:
                    break
                digest.update(piece)
                left -= len(piece)
            connection.sendall(digest.hexdigest().encode())
        elif words:
            connection.sendall((sys.argv[1] + " " + peer[0]).encode())


def listen(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    def run():
        while True:
            threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
    threading.Thread(target=run).start()


for port in sys.argv[2:]:
    listen(int(port))
print("ready", flush=True)
