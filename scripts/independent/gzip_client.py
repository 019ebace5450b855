"""Reads a feed in gzip with Python's own zlib and gzip: a poll's body, and an event stream to its end.

Usage: gzip_client.py PORT

Says `open` once the first event of the stream has been read, whose member is not over yet; then how many
events there were. Exit status 1 with the reason where something is not as RFC 1952 and RFC 9110 have it.
"""

import gzip
import http.client
import sys
import zlib


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    if response.status != 200 or response.getheader("Content-Encoding") != "gzip":
        sys.exit(f"{path}: {response.status}, coded as {response.getheader('Content-Encoding')}")
    return response


def poll(port):
    response = ask(port, "/feed/poll?after=0")
    body = response.read()
    if len(body) != int(response.getheader("Content-Length")):
        sys.exit("the length of a body is not that of its coded bytes")
    if not gzip.decompress(body).endswith(b"the last"):
        sys.exit("a body is not the batch that was published")


def stream(port):
    response = ask(port, "/feed/sse?after=0")
    decoder, whole, text, said = zlib.decompressobj(wbits=31), b"", b"", False
    while piece := response.read1(1 << 16):
        whole += piece
        text += decoder.decompress(piece)
        if text.endswith(b"\n\n") and not said:
            print("open", flush=True)
            said = True
    if not decoder.eof or decoder.unused_data or decoder.flush():
        sys.exit("the stream is not one gzip member")
    if gzip.decompress(whole) != text:
        sys.exit("the stream read at once is not what it was in pieces")
    print(text.count(b"\ndata: "), flush=True)


if __name__ == "__main__":
    poll(int(sys.argv[1]))
    stream(int(sys.argv[1]))
