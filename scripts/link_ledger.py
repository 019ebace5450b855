"""The ledger of a run over a link against what tshark sees in the clients' network.

What came up to the router is what the clients sent, and what it let pass down is what they saw: to the
packet and the byte, whatever it dropped on purpose. What was under way as the run ended it counts itself.
"""

import contextlib
import json
import os
import signal
import subprocess
import time

# Contender and the settings of its link.
CASES = [
    ("websocket", ["--delay", "20ms"]),
    ("long-poll", ["--delay", "20ms", "--loss", "2%"]),
    ("short-poll-close", ["--delay", "20ms"]),
    ("sse+tls", ["--delay", "20ms", "--loss", "2%", "--down", "10Mbit/s", "--queue", "20ms"]),
    ("sse", ["--delay", "20ms", "--ip-version", "ipv6"]),
]
SERVERS = ["10.0.0.1", "fd70:7573:6862:1::1"]
# A header of IPv6 is not in the length that it tells (RFC 8200 section 3).
IPV6_HEADER = 40
LIMIT_S = 60.0
# How often a trial is begun anew whose load process went ahead before it could be stopped.
STARTS = 20


def namespace(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def child(run, name):
    """The child of a run that it calls `name`."""
    with open(f"/proc/{run}/task/{run}/children", encoding="ascii") as children:
        for pid in children.read().split():
            with (
                contextlib.suppress(OSError),
                open(f"/proc/{pid}/cmdline", encoding="utf-8") as command,
            ):
                if name in command.read().split("\0"):
                    return int(pid)
    return None


def connections(process):
    """How many connections of TCP there are in the network of a process."""
    lines = 0
    for version in ["tcp", "tcp6"]:
        with (
            contextlib.suppress(FileNotFoundError),
            open(f"/proc/{process}/net/{version}", encoding="ascii") as table,
        ):
            lines += len(table.read().splitlines()) - 1
    return lines


def stopped_inside(run):
    """The load process of a run, stopped in its network before it has a connection; None where it was
    faster than this script."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and run.poll() is None:
        load = child(run.pid, "worker-load")
        with contextlib.suppress(OSError):
            if load and namespace(load) != namespace("self"):
                os.kill(load, signal.SIGSTOP)
                if not connections(load):
                    return load
                os.kill(load, signal.SIGCONT)
                return None
        time.sleep(0.0005)
    raise SystemExit("link_ledger: the run starts no load process")


def played(binary, transport, settings, folder):
    """Plays a trial under tshark: its record, and the file of its packets."""
    packets = f"{folder}/packets.pcap"
    command = [
        binary, "run", "-t", transport, "-c", "10", "-R", "20/s", "-w", "500ms", "-d", "2s", "-r", "1",
        "--poll-interval", "200ms", "--allow-busy", "--no-progress", "--json", "--out", folder,
        *settings,
    ]
    for _ in range(STARTS):
        output = captured_run(command, packets)
        if output is not None:
            return json.loads(output)["trials"][-1], packets
    raise SystemExit(f"link_ledger: the load process was faster than this script {STARTS} times")


def captured_run(command, packets):
    """The output of a run whose packets are captured; None where the capture would have come too late."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        load = stopped_inside(run)
        if load is None:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=LIMIT_S)
            return None
        inside = ["nsenter", f"--net=/proc/{load}/ns/net", "tshark", "-q", "-i", "any", "-w", packets]
        with subprocess.Popen(
            inside, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as capture:
            next(line for line in capture.stderr if "Capturing on" in line)
            # It says so a moment before it does.
            time.sleep(1)
            os.kill(load, signal.SIGCONT)
            output = run.communicate(timeout=LIMIT_S)[0]
            time.sleep(0.3)
            capture.send_signal(signal.SIGINT)
            capture.wait(timeout=10)
            return output


def captured(packets):
    """Bytes of the packets of each direction in their order, and how many came up after the last down."""
    fields = ["ip.src", "ip.len", "ipv6.src", "ipv6.plen"]
    command = ["tshark", "-r", packets, "-T", "fields"] + [part for it in fields for part in ("-e", it)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seen, trailing = {"up": [], "down": []}, 0
    for line in text.splitlines():
        ipv4_source, ipv4_length, ipv6_source, ipv6_length = line.split("\t")
        length = int(ipv6_length) + IPV6_HEADER if ipv6_length else int(ipv4_length or 0)
        way = "down" if (ipv4_source or ipv6_source) in SERVERS else "up"
        trailing = 0 if way == "down" else trailing + 1
        # What is not IP is there too, and a fault.
        seen[way].append(length)
    return seen, trailing


def routed(router):
    """The same as the router has it: all that came up, and down what it did not drop."""
    sums = {"up": [0, 0], "down": [0, 0]}
    for row in router["link"]["rows"]:
        tally, way = row["tally"], sums[row["direction"]]
        way[0] += tally["tcp"]["packets"] + tally["other"]["packets"]
        way[1] += tally["tcp"]["header_bytes"] + tally["tcp"]["retransmitted_bytes"]
        way[1] += tally["payload_bytes"] + tally["other"]["bytes"]
        if row["direction"] == "down":
            way[0] -= sum(cause["packets"] for cause in tally["dropped"])
            way[1] -= sum(cause["bytes"] for cause in tally["dropped"])
    return sums


def dropped(router):
    rows = router["link"]["rows"]
    return sum(cause["packets"] for row in rows for cause in row["tally"]["dropped"])


def differences(trial, seen, trailing, settings):
    router, audit = trial["router"], trial["measured"]["audit"]
    counted = routed(router)
    if trial["invalid"]:
        yield f"the trial is invalid: {trial['invalid']}"
    # Clients that have left still send, such as the end of a connection again, when the router has ended.
    packets, size = counted["up"]
    if not 0 <= len(seen["up"]) - packets <= trailing or sum(seen["up"][:packets]) != size:
        yield (
            f"up: {len(seen['up'])} packets captured, {trailing} of them behind all that came down, the "
            f"first {packets} of {sum(seen['up'][:packets])} bytes; at the router {counted['up']}"
        )
    packets, size = counted["down"][0] - len(seen["down"]), counted["down"][1] - sum(seen["down"])
    if not 0 <= packets <= router["waiting"] or not 40 * packets <= size <= 1500 * packets:
        yield (
            f"down: {len(seen['down'])} packets and {sum(seen['down'])} bytes captured, "
            f"{counted['down']} at the router, {router['waiting']} packets under way"
        )
    if audit["delivered"] != audit["expected"]:
        yield f"{audit['delivered']} of {audit['expected']} messages delivered"
    if ("--loss" in settings) != (dropped(router) > 0):
        yield f"{dropped(router)} packets dropped"


def check(binary, transport, settings, folder):
    """Whether the ledger of a trial over a link is what its packets say."""
    trial, packets = played(binary, transport, settings, folder)
    seen, trailing = captured(packets)
    problems = list(differences(trial, seen, trailing, settings))
    total = len(seen["up"]) + len(seen["down"])
    verdict, name = "FAILED" if problems else "ok", " ".join([transport, *settings])
    print(f"{verdict} {name}: {total} packets captured, {dropped(trial['router'])} dropped by the line")
    for line in problems:
        print(f"    {line}")
    return not problems
