#!/usr/bin/env python3
"""Clients of rooms and of the echo, of the standard library alone: they hear each other over whichever
transport, and those that mean harm take neither memory nor the others' turn.

Usage: room_clients.py BINARY

Starts `BINARY serve` and ends only that. Prints `ok NAME` or `FAILED NAME: why` for each check, one a line;
exit status 1 after a failure.
"""

import contextlib
import http.client
import json
import os
import select
import socket
import struct
import subprocess
import sys

from websocket_client import BINARY, CLOSE, CONTINUATION, TEXT, TIMEOUT_S, WebSocket, expect

# The most that a server may grow by, whatever a client does that means harm: what an echo holds of one
# client is 16 MiB on its way in and as much on its way out, in buffers that double.
GROWTH = 100 << 20


class Server:
    """A server that publishes nothing."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "serve", "--port", "0", "--schedule", "manual"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline().strip()
        expect(line.startswith("http://"), f"the server said {line!r}")
        self.host, port = line.removeprefix("http://").rsplit(":", 1)
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)

    def memory(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def http(self):
        return contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S))

    def socket(self, path):
        return WebSocket(self.host, self.port, path)

    def metric(self, name):
        with self.http() as http_:
            http_.request("GET", "/metrics")
            lines = http_.getresponse().read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


def say(connection, room, body, kind="text/plain"):
    connection.request("POST", f"/rooms/{room}/messages", body, {"Content-Type": kind})
    response = connection.getresponse()
    return response, response.read().decode()


def events(response, count):
    """The data of so many events of a stream."""
    found, data = [], []
    while len(found) < count:
        line = response.readline().decode().rstrip("\n")
        if line.startswith("data: "):
            data.append(line.removeprefix("data: "))
        elif not line and data:
            found.append("\n".join(data))
            data = []
    return found


def batch(body):
    """The messages of a poll's body."""
    found = []
    while body:
        length, _, body = body.partition(b"\n")
        found.append(body[: int(length)].decode())
        body = body[int(length) :]
    return found


def all_hear_the_same(server):
    said = [f"{n} of {who}\nline" for n in range(20) for who in ("socket", "post")]
    with server.http() as poster, server.http() as stream, server.socket("/rooms/all/ws") as one, \
            server.socket("/rooms/all/ws") as another:
        stream.request("GET", "/rooms/all/sse")
        streaming = stream.getresponse()
        for text in said:
            if "socket" in text:
                one.send(TEXT, text.encode())
            else:
                response, _ = say(poster, "all", text)
                expect(response.status == 201, f"a message got {response.status}")
        heard = [one.message()[0] for _ in said]
        expect(sorted(heard) == sorted(said), f"said {said}, heard {heard}")
        expect([another.message()[0] for _ in said] == heard, "another socket hears another order")
        expect(events(streaming, len(said)) == heard, "events come in another order")
        poster.request("GET", "/rooms/all/poll?after=0")
        expect(batch(poster.getresponse().read()) == heard, "a poll has another order")


def counts_who_is_there(server):
    def connected(http_):
        http_.request("GET", "/rooms/there")
        return json.loads(http_.getresponse().read())["connected"]

    with server.http() as http_, server.socket("/rooms/there/ws"), server.http() as stream:
        stream.request("GET", "/rooms/there/sse?presence=1")
        streaming = stream.getresponse()
        told = events(streaming, 1)
        expect(json.loads(told[0]) == {"connected": 2}, f"told {told}")
        expect(connected(http_) == 2, "counts another number")


def is_closed(ws, code, why):
    found, reason = ws.closed()
    expect(found == code, f"{why} is answered with {found} {reason!r}")


def floods(server):
    with server.socket("/rooms/flood/ws") as ws:
        for _ in range(600):
            ws.send(TEXT, b"flood")
        while True:
            _, opcode, payload = ws.frame()
            if opcode == CLOSE:
                break
        expect(struct.unpack("!H", payload[:2]) == (1008,), f"a flood is answered with {payload}")
    with server.http() as poster:
        for _ in range(600):
            response, _ = say(poster, "flood", "x")
            if response.status != 201:
                break
        expect(response.status == 429, f"a flood is answered with {response.status}")
        expect(int(response.headers["Retry-After"]) >= 1, "no Retry-After")


def fill(ws, bytes_, most):
    """Sends until the server takes no more, or so much has been sent; how much that was."""
    sent, ws_socket = 0, ws.socket
    ws_socket.setblocking(False)
    while sent < most:
        try:
            sent += ws_socket.send(bytes_[sent % len(bytes_) :] or bytes_)
        except BlockingIOError:
            if not select.select([], [ws_socket], [], 2)[1]:
                break
    ws_socket.settimeout(TIMEOUT_S)
    return sent


def never_reads(server):
    frame = bytes([0x82, 0xFF]) + struct.pack("!Q", 1 << 20) + bytes(4) + bytes(1 << 20)
    with server.socket("/echo") as ws:
        ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        sent = fill(ws, frame, 256 << 20)
        expect(sent < 256 << 20, "all of 256 MiB was read, though nothing was taken back")


def sends_a_gibibyte(server):
    for path in ("/echo", "/rooms/large/ws", "/feed/ws"):
        with server.socket(path) as ws:
            ws.socket.sendall(bytes([0x82, 0xFF]) + struct.pack("!Q", 1 << 30) + bytes(4))
            is_closed(ws, 1009, f"a frame of a gibibyte on {path}")


def sends_a_million_fragments(server):
    fragment = bytes([CONTINUATION, 0x80]) + bytes(4)
    for path in ("/echo", "/rooms/many/ws"):
        with server.socket(path) as ws:
            ws.socket.sendall(bytes([BINARY, 0x81]) + bytes(4) + b"x")
            for _ in range(1000):
                ws.socket.sendall(fragment * 1000)
            ws.socket.sendall(bytes([0x80, 0x81]) + bytes(4) + b"y")
            expect(ws.message() == (b"xy", BINARY), f"another message on {path}")


def begins_many_rooms(server):
    statuses = []
    for connection in range(20):
        with server.http() as http_:
            for room in range(100):
                statuses.append(say(http_, f"many-{connection}-{room}", "x")[0].status)
    expect(set(statuses) == {201, 429}, f"answered with {set(statuses)}")
    expect(server.metric("pushbench_rooms_open") < 1000, "too many rooms were begun")


def harmless(attack):
    """Meanwhile another hears what is said to it, and the server hardly grows."""

    def check(server):
        before = server.memory()
        with server.socket("/rooms/quiet/ws") as bystander:
            attack(server)
            bystander.send(TEXT, b"still there")
            expect(bystander.message()[0] == "still there", "a bystander hears another thing")
        growth = server.memory() - before
        expect(growth < GROWTH, f"the server grew by {growth >> 20} MiB")

    return check


CHECKS = {
    "rooms: all transports hear the same in the same order": all_hear_the_same,
    "rooms: who is there is counted and told": counts_who_is_there,
    "rooms: a flood is ended, and harms nobody": harmless(floods),
    "echo: who does not read is not read from": harmless(never_reads),
    "a frame of a gibibyte is refused before it comes": harmless(sends_a_gibibyte),
    "a million fragments are one message": harmless(sends_a_million_fragments),
    "rooms: nobody begins too many": harmless(begins_many_rooms),
}


def main():
    failed = False
    with Server(sys.argv[1]) as server:
        for name, check in CHECKS.items():
            try:
                check(server)
                print(f"ok {name}", flush=True)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is the check's failure
                failed = True
                print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
