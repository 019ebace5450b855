// Receives the feed with Node's own https: polls over connections of their own, the second of which
// resumes the first one's session, and an event stream.
//
// Usage: node tls_client.mjs PORT CERTIFICATE.pem
// Says what is wrong; exit status 1 then.

import { readFileSync } from "node:fs";
import https from "node:https";

const [port, certificate] = process.argv.slice(2);
const ca = readFileSync(certificate);

function fail(why) {
  console.log(why);
  process.exit(1);
}

setTimeout(() => fail("it took longer than 20 s"), 20_000).unref();

// An agent that keeps no connection, but sessions.
const agent = new https.Agent({ keepAlive: false, ca });

function get(path, receive) {
  return new Promise((resolve) => {
    const request = https.get({ host: "localhost", port, path, agent }, (response) => {
      const resumed = response.socket.isSessionReused();
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => {
        text += piece;
        if (receive?.(text)) {
          request.destroy();
          resolve({ text, resumed });
        }
      });
      response.on("end", () => resolve({ text, resumed }));
    });
    request.on("error", (error) => receive || fail(error.message));
  });
}

const first = await get("/feed/poll?after=0");
const second = await get("/feed/poll?after=0");
if (!first.text.includes('"seq":"0000000001"')) fail(`no message in ${first.text.slice(0, 200)}`);
if (first.resumed || !second.resumed) fail(`resumed: ${first.resumed}, then ${second.resumed}`);
const events = await get("/feed/sse?after=0", (text) => text.split("\n\n").length > 20);
if (!events.text.includes("id: 20\n")) fail(`no event 20 in ${events.text.slice(-200)}`);
process.exit(0);
