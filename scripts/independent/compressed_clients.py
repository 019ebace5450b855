#!/usr/bin/env python3
"""Has Python's zlib and curl inflate what a pushbench server compresses, and meet its agreements.

Usage: compressed_clients.py BINARY

Each message that arrives is held against the one that was published, byte for byte: WebSockets with
permessage-deflate (RFC 7692), with and without context takeover; answers and event streams in gzip
(RFC 1952, RFC 9110 section 8.4). Prints `ok NAME`, `FAILED NAME: why` or `SKIPPED NAME: why` for each
check, one a line; exit status 1 after a failure. Ends only the processes that it started.
"""

import contextlib
import gzip
import http.client
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
import zlib

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "peers.d"))
from processes import Started  # noqa: E402
from websocket_client import PING, TEXT, Broken, WebSocket, expect  # noqa: E402

TIMEOUT_S = 30
COUNT = 30
# The end of a block without content, which a sender leaves out (RFC 7692 section 7.2.1).
TAIL = b"\x00\x00\xff\xff"
NO_TAKEOVER = "server_no_context_takeover"
THRESHOLD = 200


class Skipped(Exception):
    """A check that cannot be made here."""


def published(number):
    """A message, as it is published; every third is short."""
    body = f'{{"symbol":"S{number % 7:03}","bid":{1000 + 37 * number % 991},"note":"'
    return (body + "abc" * (1 if number % 3 == 0 else 100 + number) + '"}').encode()


# By number, as clients get them.
MESSAGES = {n: b"%010d" % n + published(n) for n in range(1, COUNT + 1)}


class Server:
    """`BINARY serve`, at its address."""

    def __init__(self, process):
        self.url = process.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def publish(self):
        for number in MESSAGES:
            urllib.request.urlopen(self.url + "/feed/publish", published(number)).read()

    def websocket(self, offer, after=0):
        return WebSocket("127.0.0.1", self.port, f"/feed/ws?after={after}", offer=offer)

    def get(self, path, accepts="gzip"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        connection.request("GET", path, headers={"Accept-Encoding": accepts} if accepts else {})
        return connection.getresponse()

    def curl(self, *flags, path):
        command = ["curl", "-sS", "--max-time", str(TIMEOUT_S), *flags, self.url + path]
        return subprocess.run(command, capture_output=True, timeout=2 * TIMEOUT_S, check=False)


@contextlib.contextmanager
def serving(binary, *flags):
    command = [binary, "serve", "--port", "0", *flags]
    with Started(command, stdout=subprocess.PIPE, text=True) as started:
        yield Server(started.process)


def frames(feed):
    """All messages as they travel: number, whether it is compressed, payload."""
    for number in MESSAGES:
        final, opcode, payload = feed.frame()
        expect(final and opcode == TEXT, f"message {number} is no text in one frame")
        yield number, feed.compressed, payload


def inflated(decoder, payload):
    return decoder.decompress(payload + TAIL) + decoder.flush(zlib.Z_SYNC_FLUSH)


def same(number, text):
    expect(text == MESSAGES[number], f"message {number} is {text[:60]!r} when it is inflated")


def alone(server):
    """Each message by itself, the same bytes for each client."""
    travelled = []
    for offer in (f"permessage-deflate; {NO_TAKEOVER}", "permessage-deflate; client_max_window_bits"):
        with server.websocket(offer) as feed:
            expect(NO_TAKEOVER in (feed.agreed or ""), f"{offer!r} is answered with {feed.agreed!r}")
            came = list(frames(feed))
        for number, compressed, payload in came:
            expect(compressed, f"message {number} is not compressed")
            same(number, inflated(zlib.decompressobj(-15), payload))
        travelled.append(came)
    expect(travelled[0] == travelled[1], "a message is not the same bytes for two clients")


def in_a_context(server):
    """Each message behind those before it, to which it refers."""
    with server.websocket("permessage-deflate; client_max_window_bits") as feed:
        expect(feed.agreed == "permessage-deflate", f"agreed on {feed.agreed!r}")
        decoder, refers = zlib.decompressobj(-15), 0
        for number, compressed, payload in frames(feed):
            expect(compressed, f"message {number} is not compressed")
            same(number, inflated(decoder, payload))
            try:
                refers += inflated(zlib.decompressobj(-15), payload) != MESSAGES[number]
            except zlib.error:
                refers += 1
    expect(refers > COUNT / 2, f"{refers} of {COUNT} messages refer to those before them")


def declined_takeover(server):
    with server.websocket(f"permessage-deflate; {NO_TAKEOVER}") as feed:
        expect(NO_TAKEOVER in feed.agreed, f"agreed on {feed.agreed!r}")
        for number, _, payload in frames(feed):
            same(number, inflated(zlib.decompressobj(-15), payload))


def small_window(server):
    with server.websocket("permessage-deflate; server_max_window_bits=9") as feed:
        expect("server_max_window_bits=9" in feed.agreed, f"agreed on {feed.agreed!r}")
        decoder = None
        for number, _, payload in frames(feed):
            if decoder is None or NO_TAKEOVER in feed.agreed:
                # zlib inflates with this window what refers back no farther.
                decoder = zlib.decompressobj(-9)
            same(number, inflated(decoder, payload))


def refused_offers(server):
    """What cannot be agreed on leaves messages as they are, unless there is a further offer."""
    for offer in ("permessage-deflate; server_max_window_bits=8", "permessage-bzip2",
                  "permessage-deflate; mux=1"):
        with server.websocket(offer) as feed:
            expect(feed.agreed is None, f"{offer!r} is answered with {feed.agreed!r}")
            for number, compressed, payload in frames(feed):
                expect(not compressed and payload == MESSAGES[number], f"message {number} after {offer!r}")
        with server.websocket(f"{offer}, permessage-deflate") as feed:
            expect(feed.agreed, f"no further offer than {offer!r} is looked at")


def malformed_offer(server):
    try:
        server.websocket("permessage-deflate; =").__exit__()
    except Broken as error:
        expect(" 400 " in str(error), str(error))
    else:
        raise Broken("an offer that breaks its grammar is taken")


def faults(server):
    """RFC 7692 section 6.1, RFC 6455 section 5.2 and 7.4.1."""
    rsv1, garbage = 0x40, b"\xff\xff\xff"
    cases = (("permessage-deflate", rsv1 | PING, b"", 1002), (None, rsv1 | TEXT, b"", 1002),
             ("permessage-deflate", rsv1 | TEXT, garbage, 1007))
    for offer, opcode, payload, code in cases:
        with server.websocket(offer, after=COUNT) as feed:
            feed.send(opcode, payload)
            got, _ = feed.closed()
            expect(got == code, f"{opcode:#04x} with {payload!r} after {offer!r} is told {got}, not {code}")


def batch(numbers):
    return b"".join(b"%d\n%s" % (len(MESSAGES[n]), MESSAGES[n]) for n in numbers)


def bodies(server):
    for path in ("/feed/poll?after=0", "/feed/long-poll?after=0&timeout=5s"):
        response = server.get(path)
        expect(response.getheader("Content-Encoding") == "gzip", f"{path}: {response.headers}")
        expect("accept-encoding" in response.getheader("Vary", "").lower(), f"{path}: no Vary")
        expect(response.getheader("ETag") == f'W/"{COUNT}"', f"{path}: {response.getheader('ETag')}")
        body = response.read()
        expect(len(body) == int(response.getheader("Content-Length")), f"{path}: its length")
        expect(gzip.decompress(body) == batch(MESSAGES), f"{path}: another batch than was published")
        decoded = server.curl("--compressed", path=path).stdout
        expect(decoded == batch(MESSAGES), f"{path}: curl --compressed got {decoded[:60]!r}")
        as_it_is = server.get(path, accepts=None)
        expect(as_it_is.getheader("Content-Encoding") is None, f"{path}: coded for who did not ask")
        expect(as_it_is.read() == batch(MESSAGES), f"{path}: in no coding")
        refused = server.get(path, accepts="gzip;q=0, br")
        expect(refused.getheader("Content-Encoding") is None, f"{path}: in a coding that was refused")


def events_of(text):
    """Number and data of each whole event."""
    for event in text.split(b"\n\n")[:-1]:
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
        if b"data" in fields:
            yield int(fields[b"id"]), fields[b"data"]


def events(server):
    response = server.get("/feed/sse?after=0")
    expect(response.getheader("Content-Encoding") == "gzip", f"{response.headers}")
    decoder, text, seen = zlib.decompressobj(31), b"", []
    while len(seen) < COUNT:
        piece = response.read1(1 << 16)
        expect(piece, f"the stream ended after {len(seen)} events")
        text += decoder.decompress(piece)
        seen = list(events_of(text))
    expect(seen == list(MESSAGES.items()), f"other events than were published: {seen[:2]}")
    # A stream goes on until curl leaves, which is its error 28.
    done = server.curl("--compressed", "-N", "--max-time", "2", path="/feed/sse?after=0")
    expect(done.returncode == 28, f"curl's exit status is {done.returncode}: {done.stderr}")
    expect(list(events_of(done.stdout)) == seen, f"curl --compressed got {done.stdout[:60]!r}")


def threshold(server):
    """Only messages and bodies of that size are compressed."""
    with server.websocket("permessage-deflate") as feed:
        for number, compressed, payload in frames(feed):
            large = len(MESSAGES[number]) >= THRESHOLD
            expect(compressed == large, f"message {number} of {len(MESSAGES[number])}: {compressed}")
            if not compressed:
                same(number, payload)
    newest = COUNT if len(MESSAGES[COUNT]) < THRESHOLD else None
    expect(newest, "the newest message is to be a short one")
    response = server.get(f"/feed/poll?after={COUNT - 1}")
    expect(response.getheader("Content-Encoding") is None, "a short body is coded")
    expect(response.read() == batch([COUNT]), "a short body")


def nothing_agreed(server):
    with server.websocket("permessage-deflate") as feed:
        expect(feed.agreed is None, f"agreed on {feed.agreed!r}")
        for number, _, payload in frames(feed):
            same(number, payload)
    expect(server.get("/feed/poll?after=0").getheader("Content-Encoding") is None, "coded")


def library(server):
    try:
        import asyncio

        import websockets
    except ImportError as error:
        raise Skipped("the Python package `websockets` is not installed") from error

    async def receive():
        url = f"ws://127.0.0.1:{server.port}/feed/ws?after=0"
        async with asyncio.timeout(TIMEOUT_S), websockets.connect(url) as feed:
            offered = feed.response.headers.get("Sec-WebSocket-Extensions", "")
            expect("permessage-deflate" in offered, f"agreed on {offered!r}")
            for number in MESSAGES:
                same(number, (await feed.recv()).encode())

    asyncio.run(receive())


def load_is_told(binary, server):
    """The load generator measures nothing of a server that does not agree, and says why."""
    for transport, word in (("websocket+deflate", "did not agree to permessage-deflate"),
                            ("long-poll+gzip", "did not compress")):
        with tempfile.TemporaryDirectory() as folder:
            command = [binary, "load", "--target", server.url, "-t", transport, "-c", "2", "-d", "1s",
                       "--out", folder, "--no-progress"]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        told = done.stdout + done.stderr
        expect(done.returncode != 0 and word in told, f"{transport}: {done.returncode}, {told[-300:]}")


WEBSOCKET = {
    "a declined context takeover": declined_takeover,
    "a window of 512 bytes": small_window,
    "offers that cannot be taken": refused_offers,
    "an offer that breaks its grammar is 400": malformed_offer,
    "RSV1 and deflate that break the rules are told 1002 and 1007": faults,
    "the Python package `websockets`": library,
}
SERVERS = {
    "websocket+deflate": (
        ("--compression", "shared"),
        {"each message inflates by itself": alone, **WEBSOCKET,
         "polls by zlib and by curl --compressed": bodies,
         "events by zlib and by curl --compressed": events},
    ),
    "websocket+deflate-takeover": (
        ("--compression", "takeover"),
        {"messages inflate in one context": in_a_context, **WEBSOCKET},
    ),
    "a threshold": (
        ("--compression", "shared", "--compression-threshold", f"{THRESHOLD}B"),
        {"only what reaches it is compressed": threshold},
    ),
    "no compression": ((), {"offers are declined": nothing_agreed}),
}


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    binary, failed = str(pathlib.Path(sys.argv[1]).resolve()), False

    def run(name, check, *arguments):
        nonlocal failed
        try:
            check(*arguments)
            print(f"ok {name}", flush=True)
        except Skipped as why:
            print(f"SKIPPED {name}: {why}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the check's failure
            failed = True
            print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)

    for kind, (flags, checks) in SERVERS.items():
        with serving(binary, "--schedule", "manual", *flags) as server:
            server.publish()
            for name, check in checks.items():
                run(f"{kind}: {name}", check, server)
    with serving(binary, "--rate", "20/s") as server:
        run("no compression: the load generator is told", load_is_told, binary, server)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
