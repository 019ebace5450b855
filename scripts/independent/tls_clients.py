#!/usr/bin/env python3
"""Has TLS of others meet pushbench: curl, openssl, Python's ssl and Node its server, and nginx its
load generator.

Usage: tls_clients.py BINARY

Prints `ok NAME`, `FAILED NAME: why` or `SKIPPED NAME: why` for each check, one a line; exit status 1
after a failure. Ends only the processes that it started.
"""

import contextlib
import hashlib
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "peers.d"))
import servers  # noqa: E402
from processes import Started, free_port, wait_until  # noqa: E402
from setup import present  # noqa: E402
from websocket_client import WebSocket, in_order, number  # noqa: E402

TIMEOUT_S = 30.0
POLL = "GET /feed/poll?after=0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Skipped(Exception):
    """A check that cannot be made here."""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def need(name):
    if not present(name):
        raise Skipped(f"no {name}")


def said(command, **options):
    """Exit status, and all that a program says."""
    options.setdefault("timeout", TIMEOUT_S)
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if options["stdin"] is None:
        del options["stdin"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options
    )
    return done.returncode, done.stdout.decode(errors="replace")


class Server:
    """`BINARY serve --tls`: its port, the fingerprint that it told, its certificate in a file."""

    def __init__(self, process, folder):
        self.url = process.stdout.readline().strip()
        lines = iter(process.stderr.readline, "")
        told = next(line for line in lines if "fingerprint" in line)
        self.fingerprint = told.split(": ", 1)[1].strip().replace(":", "").lower()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.certificate = f"{folder}/served.pem"
        pem = ssl.get_server_certificate(("127.0.0.1", self.port), timeout=TIMEOUT_S)
        pathlib.Path(self.certificate).write_text(pem, encoding="ascii")

    def curl(self, *flags, name="localhost", path="/feed/poll?after=0"):
        return said(["curl", "-sS", "--max-time", "20", *flags, f"https://{name}:{self.port}{path}"])

    def openssl(self, *flags, **options):
        need("openssl")
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *flags]
        return said(command, **options)

    def trusting(self):
        return ssl.create_default_context(cafile=self.certificate)


@contextlib.contextmanager
def serving(binary, folder):
    command = [binary, "serve", "--tls", "--port", "0", "--rate", "20/s"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with Started(command, **options) as started:
        yield Server(started.process, folder)


def fingerprint(server):
    der = ssl.PEM_cert_to_DER_cert(pathlib.Path(server.certificate).read_text(encoding="ascii"))
    own = hashlib.sha256(der).hexdigest()
    expect(own == server.fingerprint, f"told {server.fingerprint}, served {own}")


def curl_believes_the_certificate(server):
    for name in ("localhost", "127.0.0.1"):
        status, body = server.curl("--cacert", server.certificate, name=name)
        expect(status == 0 and '{"seq":"0000000001"' in body, f"{status}: {body[:200]}")


def curl_doubts_it_otherwise(server):
    status, text = server.curl()
    expect(status == 60, f"curl's error 60 was expected, got {status}: {text}")
    status, text = server.curl("-k")
    expect(status == 0, f"{status}: {text[:200]}")


def curl_in_both_versions(server):
    for flags in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        status, text = server.curl("-k", "-v", *flags, path="/healthz")
        version = "TLSv1.2" if "1.2" in flags else "TLSv1.3"
        expect(status == 0 and f"SSL connection using {version}" in text, f"{status}: {text[-900:]}")
        expect("server accepted http/1.1" in text.lower(), f"no ALPN in {text[-900:]}")


def curl_reads_events(server):
    _, text = server.curl("-k", "-N", "--max-time", "2", path="/feed/sse?after=0")
    numbers = [number(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    expect(len(numbers) >= 20 and numbers[0] == 1 and in_order(numbers), f"got {text[:300]}")


def curl_without_tls(server):
    status, text = said(["curl", "-sS", "-i", f"http://localhost:{server.port}/"])
    expect(status == 0 and " 400 " in text and "https://" in text, f"{status}: {text}")


def resumption(server):
    with tempfile.TemporaryDirectory() as folder:
        for version in ("-tls1_2", "-tls1_3"):
            session = f"{folder}/session{version}"
            for flag, word in (("-sess_out", "New, "), ("-sess_in", "Reused, ")):
                # Tickets of 1.3 come behind the handshake: so there is a response to read.
                options = [version, "-ign_eof", flag, session]
                status, text = server.openssl(*options, input=POLL.encode())
                expect(status == 0 and word in text, f"{version} {flag}: {status}, {text[-600:]}")
                expect("HTTP/1.1 200 OK" in text, f"{version} {flag}: no response in {text[-600:]}")


def openssl_hears_the_end(server):
    # Without -ignore_unexpected_eof OpenSSL 3 calls an end without close_notify an error.
    _, text = server.openssl("-ign_eof", "-quiet", input=POLL.encode())
    expect("unexpected eof" not in text, text[-300:])


def openssl_may_not_negotiate_anew(server):
    """The refusal comes at once, and not with the next thing that the server has to say."""
    need("openssl")
    command = ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}"]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with Started(command, **options) as started:
        started.process.stdin.write(b"R\n")
        started.process.stdin.flush()
        # It ends by itself once it has been refused; its input stays open.
        started.process.wait(TIMEOUT_S)
        text = started.process.stdout.read().decode(errors="replace")
    expect("no renegotiation" in text, text[-300:])


def half_closed(server):
    """A client that says that it sends no more gets its answer, and a close_notify."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = server.trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as connection:

        def until_done(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    if outgoing.pending:
                        connection.sendall(outgoing.read())
                    data = connection.recv(65536)
                    incoming.write(data) if data else incoming.write_eof()

        until_done(end.do_handshake)
        end.write(POLL.encode())
        with contextlib.suppress(ssl.SSLWantReadError):
            end.unwrap()
        connection.sendall(outgoing.read())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):
            while piece := until_done(lambda: end.read(65536)):
                answer += piece
    expect(answer.startswith(b"HTTP/1.1 200 OK"), f"got {answer[:200]}")


def python_websocket(server):
    with WebSocket("localhost", server.port, "/feed/ws?after=0", server.trusting()) as feed:
        numbers = [number(feed.message()[0]) for _ in range(20)]
        expect(numbers[0] == 1 and in_order(numbers), f"not in order: {numbers}")


def python_library(server):
    try:
        import asyncio

        import websockets
    except ImportError as error:
        raise Skipped("not installed") from error

    async def receive():
        url, context = f"wss://localhost:{server.port}/feed/ws", server.trusting()
        async with asyncio.timeout(TIMEOUT_S), websockets.connect(url, ssl=context) as feed:
            numbers = [number(await feed.recv()) for _ in range(20)]
            expect(in_order(numbers), f"not in order: {numbers}")

    asyncio.run(receive())


def node(server):
    need("node")
    status, text = said(["node", str(HERE / "tls_client.mjs"), str(server.port), server.certificate])
    expect(status == 0, text)


def node_websocket(server):
    need("node")
    _, version = said(["node", "-p", "process.versions.node"])
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < (20, 10):
        raise Skipped(f"node {version.strip()} has no WebSocket")
    flags = ["--experimental-websocket"] if major < 22 else []
    script, url = str(HERE / "websocket_client.mjs"), f"wss://localhost:{server.port}/feed/ws"
    environment = {"NODE_EXTRA_CA_CERTS": server.certificate, "PATH": "/usr/bin:/bin"}
    status, text = said([shutil.which("node"), *flags, script, url], env=environment)
    expect(status == 0, text)


CERTIFICATES = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority
  -keyout authority.key -out authority.pem -addext basicConstraints=critical,CA:TRUE
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost
  -keyout server.key -out server.csr
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2
  -extfile server.cnf -out server.pem
"""
EXTENSIONS = "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n"


@contextlib.contextmanager
def nginx(folder):
    """nginx with nchan that speaks TLS, and a feed published to it: its port, and the feed's file."""
    need("openssl")
    need("nginx")
    need("nchan")
    pathlib.Path(f"{folder}/server.cnf").write_text(EXTENSIONS, encoding="ascii")
    for command in CERTIFICATES.replace("\n  ", " ").strip().splitlines():
        status, text = said(command.split(), cwd=folder)
        expect(status == 0, text)
    port = free_port()
    secured = (
        f"listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/server.pem;"
        f" ssl_certificate_key {folder}/server.key; ssl_protocols TLSv1.2 TLSv1.3;"
    )
    module = f"load_module {servers.NCHAN_MODULE};"
    with servers.nginx(folder, servers.NCHAN + secured, module) as server:
        feed = f"{folder}/feed.json"
        script = str(HERE.parent / "peers.d" / "publish.py")
        with Started([sys.executable, script, server.url + "/publish", "50", "64", feed]):
            wait_until(pathlib.Path(feed).exists, "the publisher")
            yield port, feed


def load(binary, folder, url, transport, *flags):
    path = servers.PATHS[transport.split("+")[0]]
    command = [
        binary, "load", "--target", url, "-t", transport, "--path", path, "-c", "20", "-w", "500ms",
        "-d", "2s", "--out", folder, "--json", *flags,
    ]
    environment = {"PUSHBENCH_ALLOW_BUSY": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


def load_receives(binary, folder, url, feed, transport, *flags):
    status, record, text = load(binary, folder, url, transport, "--feed", feed, *flags)
    expect(status == 0, f"exit status {status}: {text[-600:]}")
    audit = json.loads(record)["trials"][-1]["measured"]["audit"]
    expect(audit["delivered"] == audit["expected"] > 0, f"{audit}")


def against_nginx(binary, folder):
    by_name, by_address = "https://localhost:{}", "https://127.0.0.1:{}"
    own = ("--ca", f"{folder}/authority.pem")
    with contextlib.ExitStack() as stack:
        try:
            port, feed = stack.enter_context(nginx(folder))
        except Skipped as why:
            print(f"SKIPPED load against nginx with TLS: {why}", flush=True)
            return

        def receives(transport, url, *flags):
            return lambda: load_receives(binary, folder, url.format(port), feed, transport, *flags)

        def refuses(url, word, *flags):
            def refused():
                flagged = ("--feed", feed, *flags)
                status, _, text = load(binary, folder, url.format(port), "websocket+tls", *flagged)
                expect(status != 0 and word in text, f"exit status {status}: {text[-600:]}")

            return refused

        cases = {
            "websocket, by its authority": receives("websocket+tls", by_name, *own),
            "sse, whoever it is": receives("sse+tls", by_address, "--insecure"),
            "long-poll, by its authority": receives("long-poll+tls", by_name, *own),
            "another name is refused": refuses(by_address, "127.0.0.1", *own),
            "an authority that nobody named is refused": refuses(by_name, "certificate"),
        }
        for name, case in cases.items():
            yield f"load against nginx with TLS: {name}", case


SERVER = {
    "the fingerprint that is told is the certificate's": fingerprint,
    "curl believes the certificate, by name and by address": curl_believes_the_certificate,
    "curl doubts it, and -k does not": curl_doubts_it_otherwise,
    "curl in TLS 1.2 and 1.3, with ALPN": curl_in_both_versions,
    "curl reads events": curl_reads_events,
    "curl in clear is told https": curl_without_tls,
    "openssl resumes its session, in TLS 1.2 and 1.3": resumption,
    "openssl hears that the connection ends": openssl_hears_the_end,
    "openssl hears at once that nothing is negotiated anew": openssl_may_not_negotiate_anew,
    "Python's ssl, half closed, gets its answer": half_closed,
    "the WebSocket client of the standard library": python_websocket,
    "the Python package `websockets`": python_library,
    "Node's https polls, resumes and reads events": node,
    "Node's own WebSocket": node_websocket,
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

    with tempfile.TemporaryDirectory() as folder:
        with serving(binary, folder) as server:
            for name, check in SERVER.items():
                run(f"tls: {name}", check, server)
        for name, check in against_nginx(binary, folder):
            run(f"tls: {name}", check)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
