"""Servers that are driven: pushbench, and nginx with nchan."""

import contextlib
import pathlib
import subprocess
import sys
import urllib.request

from processes import Started, free_port, wait_for_port, wait_until
from setup import NCHAN_MODULE

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
    listen 127.0.0.1:{port} backlog=4096;
    location = /fixed {{ default_type text/plain; return 200 "{body}"; }}
    {locations}
  }}
}}
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

    def __init__(self, port, pid, feed=None):
        self.port, self.pid, self.feed = port, pid, feed
        self.url = f"http://127.0.0.1:{port}"

    def load_flags(self, transport):
        return ["--feed", self.feed, "--path", PATHS[transport]] if self.feed else []


def raised_limits():
    """As many descriptors as the system allows, for a child."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def pushbench(args, folder, rate):
    """`rate` None: a feed that is published by hand, with one message in it."""
    port = free_port()
    schedule = ["--rate", f"{rate:g}/s"] if rate else ["--schedule", "manual"]
    command = [args.binary, "serve", "--port", str(port), "--payload-kind", "text", *schedule]
    with Started(command, cwd=folder) as started:
        wait_for_port(port)
        server = Server(port, started.pid)
        if not rate:
            body = b"%010d" % 1
            urllib.request.urlopen(server.url + "/feed/publish", body.ljust(PAYLOAD, b"x")).read()
        yield server


@contextlib.contextmanager
def nginx(folder, locations="", module=""):
    port = free_port()
    body = "x" * PAYLOAD
    text = NGINX.format(folder=folder, port=port, body=body, locations=locations, module=module)
    config = pathlib.Path(folder) / "nginx.conf"
    config.write_text(text)
    command = ["nginx", "-e", f"{folder}/error.log", "-c", str(config)]
    with Started(command, preexec_fn=raised_limits) as started:
        wait_for_port(port)
        children = f"/proc/{started.pid}/task/{started.pid}/children"
        wait_until(lambda: pathlib.Path(children).read_text().split(), "nginx to start a worker")
        yield Server(port, int(pathlib.Path(children).read_text().split()[0]))


@contextlib.contextmanager
def nchan(folder, rate):
    with nginx(folder, NCHAN, f"load_module {NCHAN_MODULE};") as server:
        feed = f"{folder}/feed.json"
        script = str(pathlib.Path(__file__).parent / "publish.py")
        command = [sys.executable, script, server.url + "/publish", f"{rate:g}", str(PAYLOAD), feed]
        with Started(command, stderr=subprocess.DEVNULL):
            wait_until(pathlib.Path(feed).exists, "the publisher")
            yield Server(server.port, server.pid, feed)
