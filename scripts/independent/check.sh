#!/usr/bin/env bash
# Has clients that were not written for this project receive the feed of a pushbench server:
# curl by the polls and the event stream; for WebSocket a client of Python's standard library
# alone, and, where they are there, the Python package `websockets` and Node's own client. The same
# over TLS, with openssl, and the load generator against nginx; and what is compressed, inflated with
# Python's zlib and by curl; and clients that talk to each other in rooms. Where `websockets` is missing it is installed, for this script alone.
#
# Usage: scripts/independent/check.sh BINARY
#
# Says for each check `ok` or `FAILED`, for what is missing `SKIPPED`, and at the end how many
# passed; exit status 1 after a failure, 2 where it cannot check at all.
set -eu

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: $0 BINARY, a built pushbench" >&2
    exit 2
fi
for tool in curl python3; do
    command -v "$tool" >/dev/null || { echo "$0 needs $tool" >&2; exit 2; }
done

binary=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
# No check takes longer than this, in seconds; none depends on how long it takes.
patience=30
passed=0 failed=0
# The servers that run, by process id.
declare -A servers=()
# What is asked is on this machine.
export no_proxy='*'

clean_up() {
    local pid
    for pid in "${!servers[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    rm -rf "$work"
}
trap clean_up EXIT

ok() { passed=$((passed + 1)); echo "ok $1"; }
fail() { failed=$((failed + 1)); echo "FAILED $1: $2"; }
# same NAME GOT WANTED
same() { if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "got '$2', expected '$3'"; fi; }

# Starts `pushbench serve` with the arguments behind the first, and waits for the line with its
# address. Sets $url and $server, its process id; the first argument names its files.
serve() {
    local name=$1 line
    shift
    mkfifo "$work/$name.out"
    "$binary" serve --port 0 "$@" >"$work/$name.out" 2>"$work/$name.err" &
    server=$!
    servers[$server]=$name
    # The pipe stays open, so that the server never writes into nothing.
    exec {said}<"$work/$name.out"
    if ! read -r -t "$patience" line <&"$said" || [ "${line#http://}" = "$line" ]; then
        echo "\`pushbench serve $*\` printed no http:// address: ${line:-nothing}" >&2
        cat "$work/$name.err" >&2
        exit 1
    fi
    url=$line
}

# Ends the server $1 with SIGTERM, and checks its exit status.
end() {
    local status=0 name=${servers[$1]}
    kill -TERM "$1"
    wait "$1" || status=$?
    # Its number may be another process's from now on.
    unset "servers[$1]"
    same "the server of the $name checks ends with status 0 on SIGTERM" "$status" 0
}

# ask PATH [CURL ARGUMENT...]: sets $code; the body is in $work/body, the head in $work/head.
ask() {
    local path=$1
    shift
    : >"$work/body"
    code=$(curl -sS --max-time "$patience" -o "$work/body" -D "$work/head" \
        -w '%{http_code}' "$@" "$url$path") || code="curl's error $?"
}

# field NAME: the header field of the last answer.
field() { sed -n "s/^$1: *//Ip" "$work/head" | tr -d '\r'; }

# answers NAME CODE PATH [CURL ARGUMENT...]: whether that is the status.
answers() {
    local name=$1 wanted=$2
    shift 2
    ask "$@"
    same "$name" "$code" "$wanted"
}

# reads NAME KIND [FIRST [COUNT]]: whether the last body is messages in order.
reads() {
    local name=$1 why
    shift
    if why=$(python3 "$here/feed_formats.py" "$@" <"$work/body" 2>&1); then
        last=$why
        ok "$name"
    else
        last=
        fail "$name" "$why"
    fi
}

polls() {
    # Holds until there are enough messages for what follows.
    answers "long poll: answers when there is something" 200 '/feed/long-poll?after=19'
    reads "long poll: a batch" batch 20

    answers "poll: everything after a cursor" 200 '/feed/poll?after=0'
    reads "poll: a batch of all messages, in order" batch 1 20
    same "poll: the ETag is the last message" "$(field etag)" "\"$last\""
    answers "poll: the newest value" 200 '/feed/poll?delivery=latest'
    reads "poll: the message itself" single
    same "poll: the ETag is that message" "$(field etag)" "\"$last\""
    answers "poll: nothing new is 204" 204 '/feed/poll?after=999999'
    same "poll: 204 has no body" "$(wc -c <"$work/body" | tr -d ' ')" 0
    answers "poll: nothing new is 304 for a conditional one" 304 '/feed/poll?after=999999' \
        -H 'If-None-Match: "999999"'
    answers "poll: another tag gets what there is" 200 '/feed/poll?after=0' \
        -H 'If-None-Match: "999999"'

    ask '/feed/long-poll?after=999999&timeout=1s' -w '%{http_code} %{time_total}'
    same "long poll: its timeout is 204" "${code% *}" 204
    if python3 -c "import sys; sys.exit(not ${code#* } >= 1)" 2>/dev/null; then
        ok "long poll: not before its timeout"
    else
        fail "long poll: not before its timeout" "after ${code#* } s"
    fi

    local connects
    connects=$(curl -sS --max-time "$patience" -w '%{num_connects}\n' -o /dev/null -o /dev/null \
        "$url/feed/poll" "$url/feed/poll" | tr '\n' ' ') || true
    same "poll: a connection is kept" "$connects" "1 0 "
    connects=$(curl -sS --max-time "$patience" -w '%{num_connects}\n' -o /dev/null -o /dev/null \
        -H 'Connection: close' "$url/feed/poll" "$url/feed/poll" | tr '\n' ' ') || true
    same "poll: Connection: close is honoured" "$connects" "1 1 "
}

refusals() {
    local path
    for path in '/feed/poll?after=x' '/feed/poll?after=-1' '/feed/poll?delivery=all' \
        '/feed/long-poll?timeout=soon' '/feed/long-poll?timeout=10h' '/feed/sse?after=x'; do
        answers "400: $path" 400 "$path"
        if [ -s "$work/body" ]; then ok "400 says why: $path"; else fail "400 says why: $path" "nothing"; fi
    done
    answers "400: a Last-Event-ID that is none" 400 /feed/sse -H 'Last-Event-ID: x'
    answers "404: no such path" 404 /feeds
    answers "405: a poll is no POST" 405 /feed/poll -X POST
    same "405 names what is allowed" "$(field allow | grep -o 'GET' | head -n 1)" GET
    answers "405: publishing is no GET" 405 /feed/publish
    same "405 names POST" "$(field allow)" POST
    answers "409: a schedule runs" 409 /feed/publish --data-binary hello
    answers "426: a WebSocket endpoint without an upgrade" 426 /feed/ws
    same "426 names the protocol" "$(field upgrade)" websocket
    answers "the server is still well" 200 /healthz
}

# What a page of another site, or one whose name leads here, gets from a browser.
strangers() {
    local path
    for path in /feed /feed/poll /feed/sse /feed/ws /metrics; do
        answers "403: a foreign page asks for $path" 403 "$path" -H 'Origin: http://evil.example'
        answers "421: $path under a name of elsewhere" 421 "$path" -H 'Host: evil.example'
    done
    same "421 names the remedy" "$(grep -o -- '--allow-host evil.example' "$work/body")" \
        '--allow-host evil.example'
    answers "403: a foreign page without an origin" 403 /feed -H 'Sec-Fetch-Site: cross-site'
    answers "the page is for everybody" 200 / -H 'Sec-Fetch-Site: cross-site'
    answers "the server's own page is none" 200 /feed -H "Origin: $url"
    answers "400: no host" 400 /feed/poll -H 'Host:'
    answers "HTTP/1.0 needs none" 200 /feed -H 'Host:' --http1.0
    answers "410: a cursor into a feed that is over" 410 \
        '/feed/poll?after=1&feed=0000000000000000'
}

# Rooms as curl sees them.
rooms() {
    answers "rooms: a message is 201" 201 /rooms/r/messages --data-binary 'hello'
    same "rooms: and its number" "$(cat "$work/body")" '{"seq":1}'
    answers "rooms: bytes" 201 /rooms/r/messages --data-binary $'\xff' -H 'Content-Type: application/octet-stream'
    answers "rooms: what is no text is 400" 400 /rooms/r/messages --data-binary $'\xff'
    answers "rooms: in chunks" 201 /rooms/r/messages --data-binary 'there' -H 'Transfer-Encoding: chunked'
    answers "rooms: what was said" 200 '/rooms/r/poll?after=0'
    same "rooms: its bytes" "$(od -An -tx1 "$work/body" | tr -d ' \n')" "350a68656c6c6f310aff350a7468657265"
    head -c 65537 /dev/zero >"$work/large"
    answers "rooms: more than 64 KiB is 413" 413 /rooms/r/messages --data-binary "@$work/large"
    answers "rooms: a room" 200 /rooms/r
    same "rooms: what it holds" "$(python3 -c 'import json, sys; it = json.load(sys.stdin); print(it["name"], it["oldest"], it["newest"])' <"$work/body")" "r 1 3"
    answers "rooms: no such name" 404 '/rooms/a%20b/poll'
    answers "rooms: a foreign page says something" 403 /rooms/r/messages --data-binary x -H 'Origin: http://evil.example'
    answers "echo: no upgrade is 426" 426 /echo
}

# A stream has no end of its own, so curl is told when to stop: that is its error 28.
event_stream() {
    local status=0
    curl -s -N --max-time 2 -D "$work/head" -H 'Last-Event-ID: 0' "$url/feed/sse" \
        >"$work/body" || status=$?
    same "sse: goes on until curl leaves" "$status" 28
    same "sse: its type" "$(field content-type)" text/event-stream
    reads "sse: resumes after an event, in order, ids beside the data" sse 1 20
    curl -s -N --max-time 2 "$url/feed/sse?after=10" >"$work/body" || true
    reads "sse: resumes by the query" sse 11 10
}

# Sets $python to one that has the package `websockets`, if there can be one: that of a folder beside what
# cargo builds, which is made where the system's has it not.
find_library() {
    local has='import asyncio, websockets; asyncio.timeout'
    local own=${CARGO_TARGET_DIR:-$here/../../target}/independent-venv
    python=python3
    if python3 -c "$has" 2>/dev/null; then return; fi
    if ! "$own/bin/python" -c "$has" 2>/dev/null; then
        timeout 120 python3 -m venv "$own" >"$work/venv" 2>&1 &&
            timeout 120 "$own/bin/python" -m pip install -q websockets >>"$work/venv" 2>&1 || true
    fi
    if "$own/bin/python" -c "$has" 2>/dev/null; then
        python=$own/bin/python
    else
        echo "SKIPPED all with the Python package \`websockets\`: not installed, and it cannot be:" \
            "$(tail -n 1 "$work/venv")"
    fi
}

# client NAME COMMAND...: takes over the checks of a client that counts its own.
client() {
    local name=$1 line
    shift
    while read -r line; do
        case $line in
        "ok "*) ok "${line#ok }" ;;
        "FAILED "*) failed=$((failed + 1)); echo "$line" ;;
        *) echo "  $line" ;;
        esac
    done < <(timeout "$((patience * 4))" "$@" 2>&1 || echo "$name ended with status $?")
}

websockets() {
    local host port node_major=0
    host=${url#http://}
    port=${host##*:} host=${host%:*}
    local before=$((passed + failed))
    client "the client of the standard library" python3 "$here/websocket_client.py" "$host" "$port"
    [ $((passed + failed)) -gt "$before" ] || fail "websocket: the client of the standard library" "it checked nothing"
    if [ "$python" != python3 ] || python3 -c 'import websockets' 2>/dev/null; then
        client "the package websockets" "$python" "$here/websocket_client.py" "$host" "$port" --library
    fi
    if command -v node >/dev/null; then
        node_major=$(node -p 'process.versions.node.split(".")[0]')
    fi
    if [ "$node_major" -ge 22 ]; then
        client "Node" node "$here/websocket_client.mjs" "ws://$host:$port/feed/ws"
    else
        echo "SKIPPED Node's own WebSocket: no node, or older than 22 (found: $node_major)"
    fi
}

by_hand() {
    serve manual --schedule manual
    answers "publish: 201" 201 /feed/publish --data-binary ' by hand'
    same "publish: names the message" "$(tr -d ' ' <"$work/body")" '{"seq":1}'
    answers "poll: what was published" 200 '/feed/poll?after=0'
    same "poll: its bytes" "$(cat "$work/body")" "$(printf '18\n0000000001 by hand')"
    answers "poll: 304 with the tag it gave" 304 '/feed/poll?after=1' -H "If-None-Match: $(field etag)"
    answers "publish: nothing is 400" 400 /feed/publish -X POST
    head -c 1048577 /dev/zero >"$work/large"
    answers "publish: more than a mebibyte is 413" 413 /feed/publish --data-binary "@$work/large"
    end "$server"
}

# Messages of a mebibyte fill the ring at once.
overrun() {
    serve overrun --rate 100/s --payload 1MiB --payload-kind binary
    local oldest=1 tries=0
    while [ "$oldest" -le 2 ] && [ "$tries" -lt 500 ]; do
        tries=$((tries + 1))
        # Waits for a message, and so for no more than that.
        ask '/feed/long-poll?delivery=latest'
        ask /feed
        oldest=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["oldest"])' <"$work/body")
    done
    answers "poll: a cursor older than the ring is 410" 410 '/feed/poll?after=0'
    oldest=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["oldest"])' <"$work/body") || oldest=0
    if [ "$oldest" -gt 2 ]; then ok "410 names the oldest message"; else fail "410 names the oldest message" "$oldest"; fi
    answers "long poll: 410 too" 410 '/feed/long-poll?after=0'
    answers "sse: 410 too" 410 /feed/sse -H 'Last-Event-ID: 0'
    end "$server"
}

# curl ends with 0 only where a chunked body has its proper end.
farewell() {
    local status=0
    curl -sS -N --max-time "$patience" "$url/feed/sse?after=0" >"$work/body" &
    local stream=$!
    # The server has begun to answer when there is something in the file.
    python3 - "$work/body" "$patience" <<'PYTHON'
import os, sys, time
end = time.monotonic() + float(sys.argv[2])
while os.path.getsize(sys.argv[1]) == 0 and time.monotonic() < end:
    time.sleep(0.01)
PYTHON
    end "$1"
    wait "$stream" || status=$?
    same "sse: a server that stops ends the stream properly" "$status" 0
}

find_library
by_hand
overrun
serve feed --rate 20/s
feed=$server
polls
event_stream
refusals
strangers
rooms
websockets
farewell "$feed"
client "the clients over TLS" "$python" "$here/tls_clients.py" "$binary"
client "the clients that inflate" "$python" "$here/compressed_clients.py" "$binary"
client "the clients of rooms" python3 "$here/room_clients.py" "$binary"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
