#!/usr/bin/env python3
"""A WebSocket client of the standard library alone, written from RFC 6455 for this check.

Usage: websocket_client.py HOST PORT [--library]

Receives a feed of pushbench: the handshake with its accept value, messages in order, a ping and
its pong, a resume, the close handshake, and what the server says to a client that does not mask
its frames. With --library it receives the feed with the `websockets` package instead.

Prints `ok NAME` or `FAILED NAME: why` for each check, one a line; exit status 1 after a failure.
"""

import base64
import hashlib
import os
import socket
import struct
import sys

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
TIMEOUT_S = 20.0
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Broken(Exception):
    """The server did what RFC 6455 or the feed does not allow."""


def expect(condition, what):
    if not condition:
        raise Broken(what)


class WebSocket:
    """A connection: blocking, and closed when it takes longer than the timeout."""

    def __init__(self, host, port, path, tls=None, offer=None):
        """`tls` is the `ssl.SSLContext` that secures it, if any, and `offer` what it says in
        Sec-WebSocket-Extensions; `agreed` is what the server answers there."""
        self.socket = socket.create_connection((host, port), timeout=TIMEOUT_S)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.buffer = b""
        self.offer, self.agreed, self.compressed = offer, None, False
        self.head = self._shake_hands(f"{host}:{port}", path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _shake_hands(self, host, path):
        key = base64.b64encode(os.urandom(16)).decode()
        request = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if self.offer:
            request.append(f"Sec-WebSocket-Extensions: {self.offer}")
        self.socket.sendall(("\r\n".join(request) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        expect(status.startswith("HTTP/1.1 101 "), f"the handshake got {status!r}")
        expect(fields.get("upgrade", "").lower() == "websocket", f"Upgrade: {fields}")
        expect("upgrade" in fields.get("connection", "").lower(), f"Connection: {fields}")
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        given = fields.get("sec-websocket-accept")
        expect(given == accept, f"Sec-WebSocket-Accept is {given!r}, not {accept!r}")
        self.agreed = fields.get("sec-websocket-extensions")
        expect(self.offer or self.agreed is None, "an extension nobody offered")
        expect("sec-websocket-protocol" not in fields, "a protocol nobody offered")
        return fields

    def _read(self):
        data = self.socket.recv(65536)
        expect(data, "the server closed the connection without a word")
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._read()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def frame(self):
        """The next frame: (final, opcode, payload). Whether it begins a message that is compressed is
        in `compressed` (RFC 7692 section 6)."""
        first, second = self._take(2)
        self.compressed = first & 0x40 != 0
        may_be = self.agreed is not None and first & 0x0F in (TEXT, BINARY)
        expect(first & 0x30 == 0, f"a reserved bit is set: {first:#04x}")
        expect(may_be or not self.compressed, f"RSV1 where nothing is compressed: {first:#04x}")
        expect(second & 0x80 == 0, "the server masked a frame (section 5.1)")
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
            expect(length > 125, "a length is longer than it has to be (section 5.2)")
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
            expect(length > 65535, "a length is longer than it has to be (section 5.2)")
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def send(self, opcode, payload, masked=True):
        expect(len(payload) < 65536, "this client sends frames below 64 KiB only")
        short = len(payload) if len(payload) < 126 else 126
        head = bytes([0x80 | opcode, (0x80 if masked else 0) | short])
        if short == 126:
            head += struct.pack("!H", len(payload))
        if not masked:
            return self.socket.sendall(head + payload)
        mask = os.urandom(4)
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        return self.socket.sendall(head + mask + body)

    def message(self, pongs=None):
        """The next message of the feed. Answers pings; collects pongs where a list is given."""
        whole, kind = b"", None
        while True:
            final, opcode, payload = self.frame()
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode == PONG and pongs is not None:
                pongs.append(payload)
                return None
            elif opcode in (TEXT, BINARY) and kind is None:
                kind, whole = opcode, payload
            elif opcode == CONTINUATION and kind is not None:
                whole += payload
            else:
                raise Broken(f"a frame of opcode {opcode} where a message was expected")
            if kind is not None and final and opcode <= BINARY:
                return (whole.decode() if kind == TEXT else whole), kind

    def closed(self):
        """Reads on up to the server's close frame and the end: the code and the reason."""
        while True:
            _, opcode, payload = self.frame()
            if opcode == CLOSE:
                break
        expect(len(payload) >= 2, "a close frame without a code")
        (code,) = struct.unpack("!H", payload[:2])
        # The server closes the connection first (section 7.1.1), and sends nothing more.
        rest = self.buffer
        while True:
            try:
                data = self.socket.recv(4096)
            except ConnectionResetError:
                break
            if not data:
                break
            rest += data
        expect(rest == b"", f"{len(rest)} bytes follow the close frame")
        return code, payload[2:].decode()


def number(text):
    """The sequence number that a payload carries."""
    start = len('{"seq":"') if text.startswith("{") else 0
    return int(text[start : start + 10])


def in_order(numbers):
    return all(after == before + 1 for before, after in zip(numbers, numbers[1:]))


def receives_in_order(host, port):
    with WebSocket(host, port, "/feed/ws") as feed:
        received = [feed.message() for _ in range(20)]
        kinds = {kind for _, kind in received}
        expect(kinds == {TEXT}, f"text came in frames of opcode {kinds}")
        numbers = [number(text) for text, _ in received]
        expect(in_order(numbers), f"not in order: {numbers}")
        cursor = int(feed.head["etag"].strip('"'))
        expect(numbers[0] == cursor + 1, f"from {cursor} on, it begins with {numbers[0]}")


def resumes(host, port):
    with WebSocket(host, port, "/feed/ws?after=2") as feed:
        numbers = [number(feed.message()[0]) for _ in range(5)]
        expect(numbers == [3, 4, 5, 6, 7], f"after 2 came {numbers}")


def answers_a_ping(host, port):
    with WebSocket(host, port, "/feed/ws") as feed:
        feed.send(PING, b"are you there?")
        pongs = []
        while not pongs:
            feed.message(pongs)
        expect(pongs == [b"are you there?"], f"the pong carries {pongs}")


def closes_cleanly(host, port):
    with WebSocket(host, port, "/feed/ws") as feed:
        feed.message()
        feed.send(CLOSE, struct.pack("!H", 1000) + b"done")
        code, _ = feed.closed()
        expect(code == 1000, f"1000 is answered with {code}")


def refuses_unmasked(host, port):
    with WebSocket(host, port, "/feed/ws") as feed:
        feed.send(TEXT, b"bare", masked=False)
        code, reason = feed.closed()
        expect(code == 1002, f"an unmasked frame is answered with {code} {reason!r}")


def library_receives(host, port):
    import asyncio

    import websockets

    async def receive():
        url = f"ws://{host}:{port}/feed/ws"
        async with asyncio.timeout(TIMEOUT_S), websockets.connect(url) as feed:
            numbers = [number(await feed.recv()) for _ in range(20)]
            expect(in_order(numbers), f"not in order: {numbers}")
            await asyncio.wait_for(await feed.ping(), TIMEOUT_S)
            await feed.close(1000)
            expect(feed.close_code == 1000, f"closed with {feed.close_code}")

    asyncio.run(receive())


OWN = {
    "websocket: 20 messages in order, as text": receives_in_order,
    "websocket: resumes after a message": resumes,
    "websocket: a ping gets its pong": answers_a_ping,
    "websocket: 1000 is answered with 1000, then the end": closes_cleanly,
    "websocket: an unmasked frame is told 1002": refuses_unmasked,
}
LIBRARY = {"websocket: the Python package `websockets` receives and closes": library_receives}


def main():
    host, port, *options = sys.argv[1:]
    failed = False
    for name, check in (LIBRARY if "--library" in options else OWN).items():
        try:
            check(host, int(port))
            print(f"ok {name}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the check's failure
            failed = True
            print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
