// Receives the feed with the WebSocket that Node brings along (from version 22 on), which is the
// one that browsers specify.
//
// Usage: node websocket_client.mjs URL
// Prints `ok NAME` or `FAILED NAME: why`; exit status 1 after a failure.

const [url] = process.argv.slice(2);
const name = "websocket: Node's own client receives and closes";

function fail(why) {
  console.log(`FAILED ${name}: ${why}`);
  process.exit(1);
}

const number = (text) => Number(text.startsWith("{") ? JSON.parse(text).seq : text.slice(0, 10));

setTimeout(() => fail("it took longer than 20 s"), 20_000).unref();
const feed = new WebSocket(url);
let last = null;
let received = 0;
feed.onerror = (event) => fail(event.message ?? "the connection failed");
feed.onmessage = ({ data }) => {
  if (received === 20) return;
  if (typeof data !== "string") fail("text came as binary");
  const current = number(data);
  if (last !== null && current !== last + 1) fail(`${current} came after ${last}`);
  last = current;
  received += 1;
  if (received === 20) feed.close(1000, "done");
};
feed.onclose = ({ code, wasClean }) => {
  if (received < 20) fail(`it was closed with ${code} after ${received} messages`);
  if (code !== 1000 || !wasClean) fail(`it was closed with ${code}, clean: ${wasClean}`);
  console.log(`ok ${name}`);
};
