"""TLS records in captured packets, as tshark reads them with a key log."""

import collections
import subprocess

HEADER_BYTES = 5
# RFC 8446, 5.1; RFC 5246, 6.2.1.
MOST_PLAINTEXT = 16384
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = "20", "21", "22", "23"
NAMES = {
    CHANGE_CIPHER_SPEC: "change cipher spec", ALERT: "alert", HANDSHAKE: "handshake",
    APPLICATION_DATA: "application data",
}
FIELDS = [
    "tcp.stream", "tcp.dstport", "tls.record.content_type", "tls.record.length", "data.len",
    "tls.handshake.type", "tls.handshake.random",
]

# Bytes in all, and what of them is plaintext of the protocol above.
Record = collections.namedtuple("Record", "stream up type bytes plaintext")


def read(packets, port, key_log, connections):
    """The records of those `connections` whose secrets are in `key_log`, and which ones are not."""
    # What is in a record is nobody's concern here but its length: so no protocol takes it apart.
    # tshark is told that the server's port speaks TLS, since it would else go by the client's: one
    # of those that the kernel gives out may be known to it for another protocol.
    command = [
        "tshark", "-r", packets, "-T", "fields", "-E", "separator=;", "--disable-protocol", "http",
        "-o", f"tls.keylog_file:{key_log}", "-d", f"tcp.port=={port},tls",
        "-d", f"tls.port=={port},data",
    ]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with open(key_log, encoding="ascii") as lines:
        known = {line.split()[1] for line in lines}
    rows = [line.split(";") for line in text.splitlines()]
    hellos = {row[0]: row[6].split(",")[0] for row in rows if is_hello(row)}
    if mute := connections - set(hellos):
        raise SystemExit(f"check-ledger: tshark sees no hello of TLS on connections {sorted(mute)}")
    secret = {stream for stream, random in hellos.items() if random not in known}
    # One that was given up behind its hello has no secrets.
    up = collections.Counter(row[0] for row in rows if int(row[1]) == port and row[2])
    cut = {stream for stream in secret if up[stream] == 1}
    own = [row for row in rows if row[0] in connections - secret]
    records = [record for row in own for record in of_packet(row, port)]
    records += [record for row in rows if row[0] in cut for record in of_handshake(row, port)]
    return records, secret - cut


def is_hello(row):
    return row[5].split(",")[0] == "1"


def of_packet(row, port):
    stream, to_port, types, lengths, plaintexts = row[:5]
    types, lengths, plaintexts = (
        part.split(",") if part else [] for part in (types, lengths, plaintexts)
    )
    if len(types) != len(lengths) or len(plaintexts) != types.count(APPLICATION_DATA):
        raise SystemExit(f"check-ledger: tshark could not decrypt all of connection {stream}: {row}")
    left = iter(plaintexts)
    for kind, length in zip(types, lengths):
        plaintext = int(next(left)) if kind == APPLICATION_DATA else 0
        yield Record(stream, int(to_port) == port, kind, HEADER_BYTES + int(length), plaintext)


def of_handshake(row, port):
    """The records of a packet that nobody can decrypt, all of a handshake."""
    for length in filter(None, row[3].split(",")):
        yield Record(row[0], int(row[1]) == port, HANDSHAKE, HEADER_BYTES + int(length), 0)


def differences(records, seen, counted, adds):
    """What of the records is not as the ledger, or as a record that adds `adds` bytes, has it."""
    for way, is_up in (("up", True), ("down", False)):
        own = [record for record in records if record.up == is_up]
        in_all, plaintext = (sum(getattr(record, what) for record in own) for what in ("bytes", "plaintext"))
        if in_all != seen[way]["payload"]:
            yield f"records {way}: {in_all} bytes, in segments of {seen[way]['payload']}"
        # What was left unread, may have been of either.
        missed = seen[way]["payload"] - counted[way]["payload"]
        ledger = counted[way]["plaintext"]
        if not 0 <= plaintext - ledger <= missed:
            yield f"plaintext {way}: {plaintext} decrypted, {ledger} in the ledger"
        odd = {record.bytes - record.plaintext for record in own if record.type == APPLICATION_DATA}
        if odd != {adds}:
            yield f"records {way} add {sorted(odd)} bytes, not {adds}"
        if any(record.plaintext > MOST_PLAINTEXT for record in own):
            yield f"records {way} of more than {MOST_PLAINTEXT} bytes of plaintext"


def summary(records):
    """How many records of each type there are, and of how many bytes."""
    for way, is_up in (("up", True), ("down", False)):
        for kind, name in NAMES.items():
            own = [record for record in records if (record.up, record.type) == (is_up, kind)]
            if own:
                plaintext = sum(record.plaintext for record in own)
                of_it = f", {plaintext} of them plaintext" if plaintext else ""
                yield f"{way}: {len(own)} of {name}, {sum(record.bytes for record in own)} bytes{of_it}"


def by_stream(packets):
    """The sizes of records on each connection, up and down; what is in them is not looked at."""
    command = [
        "tshark", "-r", packets, "-d", "tcp.port==1024-65535,tls", "-T", "fields", "-E", "separator=;",
        "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "tls.record.length", "-Y", "tls.record",
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    streams = {}
    for line in text.splitlines():
        stream, port, lengths = line.split(";")
        # The client's records come first.
        client, up, down = streams.setdefault(stream, (port, [], []))
        own = up if port == client else down
        own.extend(HEADER_BYTES + int(length) for length in lengths.split(","))
    return [(up, down) for _, up, down in streams.values()]


def parts(up, down):
    """Bytes of a connection with one request, as `pushbench headers` tells them apart. The client
    sends hello, change of cipher spec, Finished, request and alert; the server its handshake,
    tickets, answer and alert."""
    hello, spec, finished, request, goodbye = up
    *server, tickets, answer, end = down
    adds = 22
    tls = {
        "client_hello": hello, "server_handshake": sum(server), "client_finished": spec + finished,
        "tickets": tickets, "records": 2 * adds, "alerts": goodbye + end,
    }
    return tls, request + answer - 2 * adds


def of_headers(rows, streams):
    """What of `pushbench headers` is not on the wire."""
    asked = [parts(up, down) for up, down in streams if len(up) == 5 and len(down) >= 6]
    exchange = rows["short-poll-close+tls"]["exchange"]
    plaintext = exchange["request"]["bytes"] + exchange["response"]["bytes"]
    plaintext += exchange["payload"] + exchange["framing"]
    same = asked.count((exchange["traffic"]["tls"], plaintext))
    if same < rows["short-poll-close+tls"]["usual"]:
        yield f"short-poll-close+tls: {exchange['traffic']['tls']} on {same} connections of {asked}"
    pushed = rows["websocket+tls"]
    record = pushed["exchange"]["traffic"]["tcp_bytes"]
    opening = pushed["open"]["tls"]
    hello, server = opening["client_hello"], opening["server_handshake"] + opening["tickets"]
    for up, down in streams:
        if down.count(record) >= pushed["exchanges"]:
            if up[0] != hello or sum(down[: down.index(record) - 1]) != server:
                yield f"websocket+tls: {opening} was told, {up[:3]} and {down[:6]} seen"
            return
    yield f"websocket+tls: no connection has records of {record} bytes"
