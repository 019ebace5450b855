"""Load generators: pushbench, wrk, h2load and tsung. Each returns a trial's figures."""

import json
import os
import pathlib
import re
import time
import urllib.request

from processes import Started, cpu_ns, free_port, run_to_end, wait_until
from servers import PAYLOAD

TSUNG = """<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd" []>
<tsung loglevel="warning" version="1.0">
  <clients><client host="localhost" use_controller_vm="true" maxusers="100000"/></clients>
  <servers><server host="127.0.0.1" port="{port}" type="tcp"/></servers>
  <load>
    <arrivalphase phase="1" duration="10" unit="minute">
      <users maxnumber="{clients}" arrivalrate="500" unit="second"/>
    </arrivalphase>
  </load>
  <sessions>
    <session name="feed" probability="100" type="ts_websocket" bidi="true">
      <request><websocket type="connect" path="/feed/ws"></websocket></request>
      <thinktime value="3600"/>
    </session>
  </sessions>
</tsung>
"""


def per(nanos, units):
    if not units:
        raise RuntimeError("nothing arrived")
    return nanos / 1e3 / units


def nanos(duration):
    return duration["secs"] * 1_000_000_000 + duration["nanos"]


def pushbench(args, folder, server, transport, clients, *flags, unit="messages_in_window"):
    """The load generator of a run, on a server that runs."""
    command = [
        args.binary, "load", "--target", server.url, "-t", transport, "-c", str(clients),
        "-w", "500ms", "-d", f"{args.seconds}s", "--server-pid", str(server.pid), "--json",
        "--out", folder, *server.load_flags(transport), *flags,
    ]
    return trial_of(command, folder, transport, clients, unit)


def subject(args, folder, name, transport, clients, rate, unit="messages_in_window"):
    """A trial of a server that pushbench knows by name, which starts it and gives it messages."""
    command = [
        args.binary, "run", "--subject", name, "-t", transport, "-c", str(clients), "-R", f"{rate:g}/s",
        "--payload-kind", "text", "--payload", f"{PAYLOAD}B", "-w", "500ms", "-d", f"{args.seconds}s",
        "-r", "1", "--json", "--out", folder,
    ]
    return trial_of(command, folder, transport, clients, unit)


def trial_of(command, folder, transport, clients, unit):
    """The figures of the last trial of a run."""
    # Status 3 says that the machine stalled; what came of it is looked at below.
    output, _ = run_to_end(["sh", "-c", '"$@" || [ $? = 3 ]', "sh", *command])
    trial = json.loads(output)["trials"][-1]
    figures, resources = trial["measured"], trial["resources"]
    units, connected = figures["counters"][unit], trial["connected"]
    if connected < clients:
        raise RuntimeError(f"{connected} of {clients} connected: {trial['errors'][:1]}")
    costs = ("server_cpu", "load_cpu", "server_rss_growth", "load_rss_growth")
    if any(resources[cost] is None for cost in costs):
        raise RuntimeError(f"a process ended before its cost was read: {trial['invalid']}")
    window = trial["window"]
    with open(f"{folder}/latest/trials.csv", encoding="utf-8") as file:
        names, row = (line.strip().split(",") for line in list(file)[:2])
    row = dict(zip(names, row))
    p50 = row["latency_p50_us"]
    # 5 bytes of header, 1 of type, 16 of tag (RFC 8446 §5.2).
    if transport.endswith("+tls") and not 21.5 < float(row["tls_bytes_per_msg"]) < 22.5:
        raise RuntimeError(f"{row['tls_bytes_per_msg']} bytes of TLS a message: not one record each")
    return {
        "units": units,
        "per_second": units / ((window["end"] - window["start"]) / 1e9),
        "server_us": per(nanos(resources["server_cpu"]["total"]), units),
        "load_us": per(nanos(resources["load_cpu"]["total"]), units),
        "server_bytes": resources["server_rss_growth"] / clients,
        "load_bytes": resources["load_rss_growth"] / clients,
        "payload_bytes": float(row["payload_bytes_per_msg"] or "nan"),
        "latency_p50_us": float(p50) if p50 else None,
    }


def closed_loop(server, command, requests):
    """A program that asks as fast as it is answered; `requests` finds how often in its output."""
    before, start = cpu_ns(server.pid), time.monotonic()
    output, load_ns = run_to_end(command)
    server_ns, took = cpu_ns(server.pid) - before, time.monotonic() - start
    found = re.search(requests, output)
    if not found or re.search(r"Non-2xx|[1-9]\d* failed", output):
        raise RuntimeError(f"{command[0]} says {output[-300:]}")
    count = int(found[1])
    return {
        "units": count, "per_second": count / took,
        "server_us": per(server_ns, count), "load_us": per(load_ns, count),
    }


def wrk(args, server, path, connections):
    seconds = f"{args.seconds}s"
    command = ["wrk", "-t1", "-c", str(connections), "-d", seconds, server.url + path]
    return closed_loop(server, command, r"(\d+) requests in")


def h2load(args, server, path, connections):
    seconds = str(args.seconds)
    command = ["h2load", "--h1", "-t1", "-c", str(connections), "-D", seconds, server.url + path]
    return closed_loop(server, command, r"(\d+) succeeded")


def gauge(server, name):
    """A figure of the server's own /metrics."""
    text = urllib.request.urlopen(server.url + "/metrics").read().decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])


def open_websockets(server):
    return gauge(server, 'pushbench_connections_open{kind="websocket"}')


def unread_bytes(server):
    """What clients of the server have in their sockets and have not read (proc_net_tcp(5))."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in list(file)[1:]]
    to_server = [row for row in rows if int(row[2].split(":")[1], 16) == server.port]
    return sum(int(row[4].split(":")[1], 16) for row in to_server)


def lag_so_far(server):
    name = "pushbench_publish_lag_seconds"
    return gauge(server, f"{name}_sum"), gauge(server, f"{name}_count")


def tsung(args, folder, server, rate):
    """Clients that connect and listen; what they get is what the server publishes."""
    config = pathlib.Path(folder) / "tsung.xml"
    config.write_text(TSUNG.format(port=server.port, clients=args.clients))
    # A port mapper of its own, in the foreground, so that none is left behind.
    port = str(free_port())
    environment = {**os.environ, "ERL_EPMD_PORT": port, "HOME": folder}
    command = ["tsung", "-f", str(config), "-l", folder, "start"]
    with Started(["epmd", "-port", port]), Started(command, env=environment, cwd=folder) as load:
        connected = lambda: open_websockets(server) >= args.clients  # noqa: E731
        wait_until(connected, f"{args.clients} websockets of tsung", 60 + args.clients / 100)
        time.sleep(0.5)
        lag, edges = lag_so_far(server), []
        for _ in range(2):
            edges.append((time.monotonic(), load.cpu_ns(), cpu_ns(server.pid)))
            if len(edges) == 1:
                time.sleep(args.seconds)
        still, unread, later = open_websockets(server), unread_bytes(server), lag_so_far(server)
    (start, load_before, server_before), (end, load_after, server_after) = edges
    if still < args.clients:
        raise RuntimeError(f"tsung lost {args.clients - still:.0f} of its connections")
    mean_lag = (later[0] - lag[0]) / max(1, later[1] - lag[1])
    units = args.clients * rate * (end - start)
    return {
        "units": round(units), "per_second": units / (end - start),
        "server_us": per(server_after - server_before, units),
        "load_us": per(load_after - load_before, units),
        # The server was late by more than half a gap, or whole messages were left unread.
        "out_of_step": mean_lag > 0.5 / rate or unread > args.clients * (PAYLOAD + 2),
    }
