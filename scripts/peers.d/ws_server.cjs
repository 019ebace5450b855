// Publishes a feed with the package `ws`, each message at its instant, compressed for each client.
//
// Usage: node ws_server.cjs PORT ORIGIN_NS RATE_HZ MESSAGES LEVEL WINDOW_BITS MEM_LEVEL
//
// MESSAGES is a file of `<decimal length>\n<message>`, repeated; when all have been sent it is silent.
// Message 1 is due at ORIGIN_NS of the monotonic clock.

const { readFileSync } = require("node:fs");
const { WebSocketServer } = require("ws");

const [port, , , file] = process.argv.slice(2);
const [rate, level, windowBits, memLevel] = [4, 6, 7, 8].map((place) => Number(process.argv[place]));
const origin = BigInt(process.argv[3]);

function read(bytes) {
  const messages = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\n", at);
    const end = line + 1 + Number(bytes.toString("latin1", at, line));
    messages.push(bytes.subarray(line + 1, end));
    at = end;
  }
  return messages;
}

const messages = read(readFileSync(file));
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  perMessageDeflate: {
    threshold: 0,
    serverMaxWindowBits: windowBits < 15 ? windowBits : undefined,
    zlibDeflateOptions: { level, memLevel },
  },
});

let next = 0;
const due = (number) => origin + BigInt(Math.round((number * 1e9) / rate));

function publish() {
  for (; next < messages.length && due(next) <= process.hrtime.bigint(); next += 1) {
    for (const client of server.clients) client.send(messages[next], { binary: false });
  }
  if (next < messages.length) {
    setTimeout(publish, Number(due(next) - process.hrtime.bigint()) / 1e6);
  }
}

server.on("listening", publish);
