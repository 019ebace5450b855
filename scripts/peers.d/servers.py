"""Servers that `pushbench run` does not start: what it has no subject for (nchan in TLS, `ws` with a
compressor for each client), and those that other load generators are put on."""

import contextlib
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

from processes import Started, free_port, wait_for_port, wait_until
from setup import NCHAN_MODULE, node_environment

PAYLOAD = 64
PATHS = {"websocket": "/ws", "sse": "/sse", "long-poll": "/long-poll"}
NGINX = """
{module}
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off; tcp_nodelay on; keepalive_timeout 300s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} {tls} backlog=4096;
    {clear}
    location = /fixed {{ default_type text/plain; return 200 "{body}"; }}
    {locations}
  }}
}}
"""
# Messages that are compressed for each client, and how: pushbench's defaults, which are zlib's.
QUOTES = ("--payload-kind", "quotes", "--payload", "1KiB")
LEVEL, WINDOW_BITS, MEM_LEVEL = 6, 15, 8
# How long Node has to start before the first message is due.
NODE_LEAD_NS = 1_500_000_000
# What browsers agree on with either server, and one record for each message: what nchan gives at once,
# nginx seals at once.
CIPHER = "aes-128-gcm"
TLS = """
    listen 127.0.0.1:{port};
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
"""
NCHAN = """
location = /publish {
  nchan_publisher; nchan_channel_id feed;
  nchan_message_buffer_length 1000; nchan_message_timeout 1m;
}
""" + "".join(
    # The whole of a message's id in one entity tag, which a client gives back as it is.
    f"location = {path} {{ nchan_subscriber {kind}; nchan_channel_id feed;"
    " nchan_subscriber_first_message newest; nchan_subscriber_compound_etag_message_id on; }\n"
    for path, kind in (("/ws", "websocket"), ("/sse", "eventsource"), ("/long-poll", "longpoll"))
)


class Server:
    """Where a server listens, which process it is, and what `load` has to be told of it."""

    def __init__(self, port, pid, feed=None, tls=False):
        self.port, self.pid, self.feed, self.tls = port, pid, feed, tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    def load_flags(self, transport):
        foreign = ["--feed", self.feed, "--path", PATHS[transport.split("+")[0]]]
        secured = ["--insecure", "--tls-cipher", CIPHER, "--tls-versions", "1.3"]
        return (foreign if self.feed else []) + (secured if self.tls else [])


def certificate(folder):
    """A self-signed certificate with a key on P-256, as pushbench makes one."""
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "1", "-subj", "/CN=localhost", "-keyout", f"{folder}/key.pem",
        "-out", f"{folder}/cert.pem",
    ]
    subprocess.run(command, check=True, capture_output=True)


def raised_limits():
    """As many descriptors as the system allows, for a child."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def pushbench(args, folder, rate, tls=False, payload=("--payload-kind", "text"), compression=None):
    """`rate` None: a feed that is published by hand, with one message in it."""
    port = free_port()
    schedule = ["--rate", f"{rate:g}/s"] if rate else ["--schedule", "manual"]
    command = [args.binary, "serve", "--port", str(port), *payload, *schedule]
    command += ["--tls", "--tls-cipher", CIPHER] if tls else []
    if compression:
        command += ["--compression", compression, "--compression-level", str(LEVEL)]
        command += ["--compression-window-bits", str(WINDOW_BITS), "--compression-threshold", "0B"]
    with Started(command, cwd=folder) as started:
        wait_for_port(port)
        server = Server(port, started.pid, tls=tls)
        if not rate:
            body = b"%010d" % 1
            urllib.request.urlopen(server.url + "/feed/publish", body.ljust(PAYLOAD, b"x")).read()
        yield server


@contextlib.contextmanager
def nginx(folder, locations="", module="", clear_port=None):
    """`clear_port`: the clients' port is in TLS, and this one is not."""
    port = free_port()
    if clear_port:
        certificate(folder)
    text = NGINX.format(
        folder=folder, port=port, body="x" * PAYLOAD, locations=locations, module=module,
        tls="ssl" if clear_port else "",
        clear=TLS.format(port=clear_port, folder=folder) if clear_port else "",
    )
    config = pathlib.Path(folder) / "nginx.conf"
    config.write_text(text)
    command = ["nginx", "-e", f"{folder}/error.log", "-c", str(config)]
    with Started(command, preexec_fn=raised_limits) as started:
        wait_for_port(port)
        children = f"/proc/{started.pid}/task/{started.pid}/children"
        wait_until(lambda: pathlib.Path(children).read_text().split(), "nginx to start a worker")
        worker = int(pathlib.Path(children).read_text().split()[0])
        yield Server(port, worker, tls=bool(clear_port))


@contextlib.contextmanager
def nchan_in_tls(folder, rate):
    clear_port = free_port()
    with nginx(folder, NCHAN, f"load_module {NCHAN_MODULE};", clear_port) as server:
        feed = f"{folder}/feed.json"
        script = str(pathlib.Path(__file__).parent / "publish.py")
        publish = f"http://127.0.0.1:{clear_port}/publish"
        command = [sys.executable, script, publish, f"{rate:g}", str(PAYLOAD), feed]
        with Started(command, stderr=subprocess.DEVNULL):
            wait_until(pathlib.Path(feed).exists, "the publisher")
            yield Server(server.port, server.pid, feed, tls=True)


def quotes(args, folder, count):
    """So many of pushbench's quotes in a file, as a poll brings them, and the feed that they are of."""
    file = pathlib.Path(folder) / "messages"
    with pushbench(args, folder, 1000, payload=QUOTES) as server:
        newest, text = 0, b""
        while newest < count:
            path = f"/feed/long-poll?after={newest}"
            with urllib.request.urlopen(server.url + path) as response:
                newest = int(response.headers["ETag"].strip('"'))
                text += response.read()
        feed = json.load(urllib.request.urlopen(server.url + "/feed"))
    file.write_bytes(text)
    return file, feed


@contextlib.contextmanager
def ws(args, folder, rate, seconds):
    """Node's `ws`, which has messages for so many seconds."""
    file, feed = quotes(args, folder, int(rate * seconds))
    port, origin = free_port(), time.monotonic_ns() + NODE_LEAD_NS
    feed |= {"origin": origin, "schedule": {"kind": "constant", "rate": rate}, "oldest": 0, "newest": 0}
    path = pathlib.Path(folder) / "feed.json"
    path.write_text(json.dumps(feed))
    script = str(pathlib.Path(__file__).parent / "ws_server.cjs")
    settings = (port, origin, rate, file, LEVEL, WINDOW_BITS, MEM_LEVEL)
    command = ["node", script, *map(str, settings)]
    with Started(command, env=node_environment()) as started:
        wait_for_port(port)
        # A window that begins ahead of the feed has too few messages in it.
        wait_until(lambda: time.monotonic_ns() > origin, "the first message")
        yield Server(port, started.pid, str(path))
