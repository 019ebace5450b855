#!/usr/bin/env python3
"""Reads what curl received from a pushbench server, by the documented formats alone.

Usage: feed_formats.py batch FIRST < BODY      a poll's body; FIRST is the number it begins with
       feed_formats.py single < BODY           one message
       feed_formats.py sse FIRST COUNT < BODY  an event stream, perhaps cut off within an event

Prints the last number. Exit status 1, and why on stderr, where it is not as documented.
"""

import sys


def number(payload):
    start = len(b'{"seq":"') if payload.startswith(b"{") else 0
    return int(payload[start : start + 10])


def batch(body):
    """`<decimal length>\\n<message>`, repeated."""
    numbers = []
    while body:
        length, newline, body = body.partition(b"\n")
        if not newline or not length.isdigit() or int(length) > len(body):
            sys.exit(f"no length stands at {length[:20]!r}, or the body is cut short")
        numbers.append(number(body[: int(length)]))
        body = body[int(length) :]
    return numbers


def events(body):
    """The `id` and the data of each whole event."""
    numbers = []
    for block in body.decode().split("\n\n")[:-1]:
        fields = [line.partition(":") for line in block.split("\n")]
        values = {}
        for name, _, value in fields:
            values.setdefault(name, []).append(value.removeprefix(" "))
        if "data" not in values:
            continue
        seq = number("\n".join(values["data"]).encode())
        if values.get("id") != [str(seq)]:
            sys.exit(f"the event of message {seq} has the id {values.get('id')}")
        numbers.append(seq)
    return numbers


def main():
    kind, *expected = sys.argv[1:]
    body = sys.stdin.buffer.read()
    readers = {"batch": batch, "sse": events, "single": lambda body: [number(body)]}
    numbers = readers[kind](body)
    if not numbers:
        sys.exit("there is no message")
    if any(after != before + 1 for before, after in zip(numbers, numbers[1:])):
        sys.exit(f"not in order: {numbers}")
    if expected and numbers[0] != int(expected[0]):
        sys.exit(f"it begins with {numbers[0]}, not {expected[0]}")
    if len(expected) > 1 and len(numbers) < int(expected[1]):
        sys.exit(f"{len(numbers)} messages came, not {expected[1]}")
    print(numbers[-1])


if __name__ == "__main__":
    main()
