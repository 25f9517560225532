"""faulty-proxy.py HOST:PORT SEED ONE_IN: stands before an HTTP server and does to requests what networks do.

Listens on a free port of the loopback interface and prints `port N`, then a line per request: its number, method, path and
what was done to it. One request in ONE_IN goes wrong; which and how depends on the seed, the request and how often it
was made before, not on the order in which requests arrive. Ends when its standard input does.

  late         answered after a short wait
  cut          the connection is reset before anything reaches the server
  half         a part of the request reaches the server, then the connection is reset
  lost         the server carries the request out, and its answer is lost
  short        the answer is cut off in the middle
  500, 503     answered so, without the server
"""

import hashlib
import random
import socket
import struct
import sys
import threading
import time

FAULTS = ["late", "cut", "half", "lost", "short", "500", "503"]
upstream = ("127.0.0.1", 0)
seed = one_in = number = 0
seen: dict[str, int] = {}
lock = threading.Lock()


def choose(method: str, path: str) -> tuple[int, str, random.Random]:
    global number
    with lock:
        number += 1
        seen[method + path] = seen.get(method + path, 0) + 1
        text = f"{seed} {method} {path} {seen[method + path]}"
        mine = number
    chance = random.Random(hashlib.sha256(text.encode()).digest())
    return mine, chance.choice(FAULTS) if one_in and chance.randrange(one_in) == 0 else "-", chance


class Stream:
    """Reads lines and counted bytes of a connection."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.rest = b""

    def fill(self) -> bool:
        data = self.connection.recv(65536)
        self.rest += data
        return bool(data)

    def head(self) -> bytes:
        while b"\r\n\r\n" not in self.rest:
            if not self.fill():
                return b""
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n"

    def take(self, count: int) -> bytes:
        while len(self.rest) < count and self.fill():
            pass
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def chunked(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self.rest:
                if not self.fill():
                    return body
            line, self.rest = self.rest.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            body += line + b"\r\n" + self.take(size + 2)
            if size == 0:
                return body

    def until_end(self) -> bytes:
        while self.fill():
            pass
        data, self.rest = self.rest, b""
        return data


def header(head: bytes, name: str) -> str:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def without(head: bytes, *names: str) -> bytes:
    lines = head.decode("latin-1").split("\r\n")
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in names]
    return "\r\n".join(kept).encode("latin-1")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(request_head: bytes, body: bytes, method: str, part: float = 1.0) -> bytes:
    """Sends the request, or the beginning of it, and gives the whole answer."""
    request = without(request_head, "connection", "expect")[:-2] + b"Connection: close\r\n\r\n" + body
    with socket.create_connection(upstream, timeout=60) as server:
        if part < 1:
            server.sendall(request[: max(1, int(len(request) * part))])
            reset(server)
            return b""
        server.sendall(request)
        stream = Stream(server)
        head = stream.head()
        while head.startswith(b"HTTP/1.1 1"):
            head = stream.head()
        status = head.split(b" ")[1] if head else b""
        if method == "HEAD" or status in (b"204", b"304"):
            return head
        if header(head, "content-length"):
            return head + stream.take(int(header(head, "content-length")))
        return head + (stream.chunked() if "chunked" in header(head, "transfer-encoding") else stream.until_end())


def plain(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


def serve_one(client: socket.socket, stream: Stream) -> bool:
    """One request; whether the connection goes on."""
    head = stream.head()
    if not head:
        return False
    method, path = head.decode("latin-1").split("\r\n")[0].split(" ")[:2]
    if header(head, "expect"):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    chunked = "chunked" in header(head, "transfer-encoding")
    body = stream.chunked() if chunked else stream.take(int(header(head, "content-length") or 0))
    mine, fault, chance = choose(method, path)
    print(mine, method, path, fault, flush=True)
    if fault == "late":
        time.sleep(chance.random() * 0.05)
    if fault == "cut":
        reset(client)
        return False
    if fault == "half":
        answer(head, body, method, part=chance.random())
        reset(client)
        return False
    if fault in ("500", "503"):
        client.sendall(plain(fault + " Injected"))
        return True
    full = answer(head, body, method)
    if fault in ("lost", "short"):
        client.sendall(full[: int(len(full) * chance.random())] if fault == "short" else b"")
        reset(client)
        return False
    client.sendall(full)
    return "close" not in header(full, "connection") and bool(full)


def serve(client: socket.socket) -> None:
    try:
        with client:
            stream = Stream(client)
            while serve_one(client, stream):
                pass
    except (OSError, ValueError):
        pass


def accept(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def main(arguments: list[str]) -> None:
    global upstream, seed, one_in
    host, port = arguments[0].rsplit(":", 1)
    upstream, seed, one_in = (host, int(port)), int(arguments[1]), int(arguments[2])
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
