"""Packets of TCP by connection, as tshark reads them."""

import collections
import subprocess

FIELDS = [
    "tcp.stream", "tcp.dstport", "frame.time_epoch", "ip.len", "tcp.len", "tcp.seq", "tcp.ack",
    "tcp.payload", "tcp.analysis.retransmission", "tcp.flags.fin", "tcp.flags.reset",
]
# What somebody sends who only asks what the feed is: the load generator's parent, or a probe.
ASKS = b"GET /feed HTTP".hex()
SET = ("1", "True")
# IPv4, TCP and its timestamps. An ACK that tells of data that came twice is longer, of which the
# client's kernel keeps no count.
USUAL_HEADERS = 52
# And a SYN's.
MOST_HEADERS = 60
# What follows the client's last word in TLS, or its FIN in clear, as the ledger has it: `^` goes up,
# `v` down, `C` closes, `w` is a word, and the rest are ACKs.
ENDS_IN_TLS = {"^C vw ^C", "^C vC", "^C v"}
ENDS_IN_CLEAR = {"vC ^", "v"}

# Whether it goes to the server; when; payload, of which that of one sent again is none; headers; the
# place behind its payload, and up to which it acknowledges the other end's; whether its sender
# closes by it.
Packet = collections.namedtuple("Packet", "up at payload headers end ack closes")


def read(packets, port):
    """The packets of each connection, and which connections only ask what the feed is."""
    command = ["tshark", "-r", packets, "-T", "fields", "-E", "separator=;"]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    connections, asking = collections.defaultdict(list), set()
    for line in text.splitlines():
        stream, to_port, at, ip_len, tcp_len, seq, ack, payload, again, fin, reset = line.split(";")
        if payload.replace(":", "").startswith(ASKS):
            asking.add(stream)
        length, is_syn = int(tcp_len), int(seq) + int(tcp_len) == 0
        headers = int(ip_len) - length
        connections[stream].append(Packet(
            int(to_port) == port, float(at), 0 if again else length,
            headers if is_syn else min(headers, USUAL_HEADERS),
            int(seq) + length, int(ack or 0), fin in SET or reset in SET,
        ))
    return connections, asking


def sums(connections):
    """Bytes and packets by direction."""
    of_all = {}
    for way, up in (("up", True), ("down", False)):
        own = [packet for packets in connections for packet in packets if packet.up == up]
        of_all[way] = {
            "payload": sum(packet.payload for packet in own),
            "packets": len(own),
            "headers": sum(packet.headers for packet in own),
        }
    return of_all


def leave(packets, secured):
    """Which packet the client closes with, and which one it leaves with: in TLS it says so before."""
    up = [number for number, packet in enumerate(packets) if packet.up]
    closed = next((number for number in up if packets[number].closes), len(packets))
    said = max((number for number in up if number <= closed and packets[number].payload), default=0)
    return closed, said if secured else closed


def ends_as_modelled(packets, secured):
    """Whether nothing crossed, came late or was sent again behind what the kernel counted."""
    _, leaves = leave(packets, secured)
    end = " ".join(
        ("^" if packet.up else "v") + ("C" if packet.closes else "w" if packet.payload else "")
        for packet in packets[leaves + 1:]
    )
    # A server that had closed answers to nobody.
    had_closed = any(packet.closes and not packet.up for packet in packets[:leaves])
    usual = ENDS_IN_TLS if secured else ENDS_IN_CLEAR
    return end in usual or secured and had_closed and end == "vC"


def unread(packets, secured, over):
    """Payload that came as the client was leaving: how much came behind its close, which it cannot
    have read, and the sizes of what came before, which it may have read or not. There is such only
    where it leaves because the trial is `over`: else it reads to the end."""
    closed, leaves = leave(packets, secured)
    heard = max((packet.ack for packet in packets[:leaves] if packet.up), default=0)
    behind = sum(packet.payload for packet in packets[closed:] if not packet.up)
    if leaves < len(packets) and packets[leaves].at < over:
        return behind, []
    return behind, [
        packet.payload for packet in packets[:closed]
        if not packet.up and packet.payload and packet.end > heard
    ]


def endings(sizes):
    """What may have been left of `sizes`, of which the first were read: 0 to all of them."""
    left, all_left = 0, {0}
    for size in reversed(sizes):
        left += size
        all_left.add(left)
    return all_left


def unread_of_all(connections, secured, over):
    """How much of what came down may be unread, in all: each sum that is possible."""
    behind, may_be = 0, {0}
    for packets in connections:
        certain, sizes = unread(packets, secured, over)
        behind += certain
        may_be = {in_all + left for in_all in may_be for left in endings(sizes)}
    return {behind + left for left in may_be}
