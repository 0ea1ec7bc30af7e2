# load.py ALLOWED FORBIDDEN THREADS: asks the proxy for both names, in both forms and on kept connections, until standard
# input ends. Prints a line for each hundred requests that were answered, and at the end how often each answer came.
import collections
import json
import random
import socket
import sys
import threading

allowed, forbidden, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
counts = {name: collections.Counter() for name in ("allowed", "forbidden")}
answered = [0]
lock = threading.Lock()
over = threading.Event()


def count(which, answer):
    with lock:
        counts[which][answer] += 1
        if answer.isdigit():
            answered[0] += 1
            if answered[0] % 100 == 0:
                print(answered[0], flush=True)
    if not answer.isdigit():
        over.wait(0.02)


def request(chance):
    which, host = ("allowed", allowed) if chance.random() < 0.5 else ("forbidden", forbidden)
    if chance.random() < 0.5:
        return which, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n" % (host, host)
    return which, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % (host, host)


def read_answer(stream):
    line = stream.readline()
    if not line:
        raise OSError("closed")
    length = 0
    for field in stream:
        if field == b"\r\n":
            break
        if field.lower().startswith(b"content-length:"):
            length = int(field.split(b":")[1])
    stream.read(length)
    return line.split()[1].decode()


def work(seed):
    chance = random.Random(seed)
    while not over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", 3128), 10) as one, one.makefile("rb") as stream:
                for _ in range(chance.randrange(1, 4)):
                    which, text = request(chance)
                    try:
                        one.sendall(text.encode())
                        answer = read_answer(stream)
                    except (OSError, IndexError, ValueError):
                        count(which, "broken")
                        break
                    count(which, answer)
                    if text.startswith("CONNECT") and answer == "200":
                        break
        except OSError:
            count("allowed", "unconnected")


workers = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
for worker in workers:
    worker.start()
sys.stdin.read()
over.set()
for worker in workers:
    worker.join()
print(json.dumps(counts), flush=True)
