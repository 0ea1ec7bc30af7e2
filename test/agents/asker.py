"""Asks the proxy for what the files ask-<n> of the workspace name, and writes what it said to answer-<n>."""
import os, socket, time


def ask(target):
    head = f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", 3128), 5) as proxy:
            proxy.settimeout(20)
            proxy.sendall(head.encode())
            answer = b"".join(iter(lambda: proxy.recv(65536), b""))
        return answer.decode() or "nothing"
    except OSError as error:
        return f"error: {error}"


while True:
    for name in sorted(os.listdir(".")):
        if not name.startswith("ask-"):
            continue
        with open(name) as file:
            answer = ask(file.read())
        os.remove(name)
        with open(".answer", "w") as file:
            file.write(answer)
        os.rename(".answer", name.replace("ask", "answer"))
    time.sleep(0.01)
