"""Who is measured: a server and a load generator each, and what both need."""

import dataclasses
from collections.abc import Callable

import loads
import servers

# The pace of each client's short polls: with 1,000 clients 100,000 requests a second, which is about
# what wrk comes to with as many connections. A pace far below it would compare a load generator that
# sleeps between two answers with one that never does.
POLL_INTERVAL = "10ms"
# Streams that are also measured in TLS, with one cipher, of which each message is one record.
IN_TLS = ("websocket+tls", "sse+tls")
TAKEOVER = "websocket+deflate-takeover"
# How long Node's `ws` has messages beside the window: to start, to connect, to warm up.
BESIDE_S = 30
# The newest message, whoever has it: each answer brings 64 bytes.
NEWEST = "/feed/poll?delivery=latest"


@dataclasses.dataclass
class Contender:
    name: str
    trial: Callable
    needs: tuple = ()


def judged(figures, rate, clients):
    """Says whether the server kept the feed's pace; of polls, `clients` is None."""
    # A message later than the next one goes with it, in one write: cheaper, and no comparison.
    # So it is where the latency is only known to be above something.
    p50 = figures["latency_p50_us"]
    late = p50 is None or p50 > 1e6 / rate
    missing = clients is not None and figures["per_second"] < 0.98 * clients * rate
    figures["out_of_step"] = late or missing
    return figures


def subject(name, transport, needs=()):
    """A server that pushbench knows by name, in clear."""

    def trial(args, folder):
        asks = transport == "long-poll"
        rate, unit = (args.long_poll_rate, "requests") if asks else (args.rate, "messages_in_window")
        figures = loads.subject(args, folder, name, transport, args.clients, rate, unit)
        return judged(figures, rate, None if asks else args.clients)

    return Contender(f"{transport}: {name}, load pushbench", trial, needs)


def push(server_of, transport, needs=(), slow=False):
    def trial(args, folder):
        rate = args.tsung_rate if slow else args.tls_rate
        with server_of(args, folder, rate) as server:
            figures = loads.pushbench(args, folder, server, transport, args.clients)
        return judged(figures, rate, args.clients)

    name = "pushbench" if not needs else "nchan"
    pace = " at tsung's pace" if slow else ""
    return Contender(f"{transport}{pace}: {name}, load pushbench", trial, needs)


def takeover(server_of, who, needs=()):
    """A message compressed for each client, behind those that it has had."""

    def trial(args, folder):
        rate, clients = args.takeover_rate, args.takeover_clients
        with server_of(args, folder, rate) as server:
            figures = loads.pushbench(args, folder, server, TAKEOVER, clients)
        return judged(figures, rate, clients)

    return Contender(f"{TAKEOVER}: {who}, load pushbench", trial, needs)


def own_takeover(args, folder, rate):
    return servers.pushbench(args, folder, rate, payload=servers.QUOTES, compression="takeover")


def ws(args, folder, rate):
    return servers.ws(args, folder, rate, args.seconds + BESIDE_S)


def idle(name, needs=()):
    def trial(args, folder):
        return loads.subject(args, folder, name, "websocket", args.idle_clients, 1)

    return Contender(f"idle websockets: {name}, load pushbench", trial, needs)


def own(args, folder, rate):
    return servers.pushbench(args, folder, rate)


def own_in_tls(args, folder, rate):
    return servers.pushbench(args, folder, rate, tls=True)


def nchan_in_tls(_, folder, rate):
    return servers.nchan_in_tls(folder, rate)


def wrk_on_cursor(args, folder):
    with servers.pushbench(args, folder, None) as server:
        return loads.wrk(args, server, "/feed/poll?after=0", args.connections)


def wrk_on_nginx(args, folder):
    with servers.nginx(folder) as server:
        return loads.wrk(args, server, "/fixed", args.connections)


def wrk_on_newest(args, folder):
    with servers.pushbench(args, folder, None) as server:
        return loads.wrk(args, server, NEWEST, args.clients)


def h2load_on_newest(args, folder):
    with servers.pushbench(args, folder, None) as server:
        return loads.h2load(args, server, NEWEST, args.clients)


def own_on_newest(args, folder):
    flags = ["--delivery", "latest", "--poll-interval", POLL_INTERVAL]
    with servers.pushbench(args, folder, 10) as server:
        return loads.pushbench(
            args, folder, server, "short-poll", args.clients, *flags, unit="requests"
        )


def tsung_on_own(args, folder):
    with servers.pushbench(args, folder, args.tsung_rate) as server:
        return loads.tsung(args, folder, server, args.tsung_rate)


ALL = [
    contender
    for transport in servers.PATHS
    for contender in (
        subject("pushbench", transport), subject("nchan", transport, ("nginx", "nchan"))
    )
] + [
    contender
    for transport in IN_TLS
    for contender in (
        push(own_in_tls, transport), push(nchan_in_tls, transport, ("nginx", "nchan", "openssl"))
    )
] + [
    takeover(own_takeover, "pushbench"),
    takeover(ws, "ws", ("node", "ws")),
    push(own, "websocket", slow=True),
    Contender("websocket at tsung's pace: pushbench, load tsung", tsung_on_own, ("tsung",)),
    Contender("short-poll with cursor: pushbench, load wrk", wrk_on_cursor, ("wrk",)),
    Contender("short-poll fixed: nginx, load wrk", wrk_on_nginx, ("nginx", "wrk")),
    Contender("short-poll newest: pushbench, load pushbench", own_on_newest),
    Contender("short-poll newest: pushbench, load wrk", wrk_on_newest, ("wrk",)),
    Contender("short-poll newest: pushbench, load h2load", h2load_on_newest, ("h2load",)),
    idle("pushbench"),
    idle("nchan", ("nginx", "nchan")),
]


@dataclasses.dataclass
class Ratio:
    """One contender's figure over another's; `least` where it is to be above the target."""

    what: str
    ours: str
    theirs: str
    figure: str
    target: float
    least: bool = False
    # By how much the bytes of a message may differ, as a share.
    bytes_within: float | None = None


RATIOS = [
    Ratio(f"server, {t}: pushbench / nchan", f"{t}: pushbench, load pushbench",
          f"{t}: nchan, load pushbench", "server_us", 1.0)
    for t in servers.PATHS
] + [
    Ratio(f"server, {t}: pushbench / nchan", f"{t}: pushbench, load pushbench",
          f"{t}: nchan, load pushbench", "server_us", 1.05)
    for t in IN_TLS
] + [
    Ratio(f"server, {TAKEOVER}: pushbench / ws", f"{TAKEOVER}: pushbench, load pushbench",
          f"{TAKEOVER}: ws, load pushbench", "server_us", 0.8, bytes_within=0.05),
    Ratio("server, short-poll: pushbench with cursor / nginx return 200",
          "short-poll with cursor: pushbench, load wrk", "short-poll fixed: nginx, load wrk",
          "server_us", 1.0),
    Ratio("load, short-poll: pushbench / wrk", "short-poll newest: pushbench, load pushbench",
          "short-poll newest: pushbench, load wrk", "load_us", 1.4),
    Ratio("load, short-poll: pushbench / h2load", "short-poll newest: pushbench, load pushbench",
          "short-poll newest: pushbench, load h2load", "load_us", 1.4),
    Ratio("load, websocket: tsung / pushbench",
          "websocket at tsung's pace: pushbench, load tsung",
          "websocket at tsung's pace: pushbench, load pushbench", "load_us", 2.5, least=True),
]
