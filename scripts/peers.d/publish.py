"""Publishes a feed to a server by POST, each message at its instant; what the feed is goes to a file.

Usage: publish.py URL RATE_HZ PAYLOAD_BYTES FEED.json
"""

import http.client
import json
import pathlib
import sys
import time
import urllib.parse

LEAD_NS = 300_000_000


def main():
    url, rate, size = urllib.parse.urlsplit(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    origin = time.monotonic_ns() + LEAD_NS
    feed = {
        "format": "pushbench-feed/1", "id": "foreign", "seed": 1,
        "schedule": {"kind": "constant", "rate": rate},
        "payload": {"content": "text", "mean_bytes": size},
        "origin": origin, "oldest": 0, "newest": 0,
        "boot_id": pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
    }
    # Whoever sees the file sees all of it.
    partial = pathlib.Path(sys.argv[4] + ".partial")
    partial.write_text(json.dumps(feed))
    partial.rename(sys.argv[4])
    server = http.client.HTTPConnection(url.hostname, url.port)
    number = 0
    while True:
        due = origin + round(number * 1e9 / rate)
        number += 1
        time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
        server.request("POST", url.path, body=(b"%010d" % number).ljust(size, b"x"))
        server.getresponse().read()


if __name__ == "__main__":
    main()
