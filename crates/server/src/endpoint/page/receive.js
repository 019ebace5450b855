// Receiving: one client of a source, `/feed` or `/rooms/NAME`, by one transport. It goes on from the
// last message that it has, so that nothing is lost between two connections.

const count = (n) => n.toLocaleString("en");
const KINDS = ["short-poll", "long-poll", "sse", "websocket"];
const TAGGED = "pushbench.tagged.v1";
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [500, 10_000]; // milliseconds
const HELD = "25s"; // a long poll
const UTF8 = new TextEncoder();

// An answer that is no success, and how long its server asks to be left alone (RFC 9110 §10.2.3).
class Refusal extends Error {
  constructor(answer, words = "") {
    super(`the server answered ${answer.status}${words ? `: ${words.trim()}` : ""}`);
    this.pause = (Number(answer.headers.get("retry-after")) || 0) * 1000;
  }
}

// An answer that is one; its absence in words that do not hang on the browser.
async function ask(url, options = {}) {
  const answer = await fetch(url, { cache: "no-store", ...options }).catch((error) => {
    throw error.name === "AbortError" ? error : new Error("no answer from the server");
  });
  if (answer.ok || answer.status === 410) return answer;
  throw new Refusal(answer, await answer.text().catch(() => ""));
}

// A source as its server describes it: another one has another id, and then no number of before means
// anything.
async function describe(path) {
  return (await ask(path)).json();
}

class Receiver {
  // What is heard goes to `on`: message(data, number), event(words, state), restarted(), people(number).
  // States are those of the connection: "waits", "open", "failed", "closed"; "past" is said of one that
  // was given up, "noted" of what leaves the state as it is.
  constructor(base, kind, on, options = {}) {
    const wanted = { interval: () => 1000, isRoom: false, history: 0, binaryType: "arraybuffer" };
    Object.assign(this, { base, kind, on }, wanted, options);
    Object.assign(this, { after: null, feed: null, messages: 0, requests: 0, empty: 0, bytes: 0 });
    this.life = 0; // changes whenever it is started or stopped
  }

  // A connection from before the network was gone may be dead without anybody having said so.
  start() {
    this.stop();
    this.network = new AbortController();
    const { signal } = this.network;
    addEventListener("offline", () => this.on.event("this browser is offline", "noted"), { signal });
    addEventListener("online", () => { this.on.event("online again", "noted"); this.start(); }, { signal });
    this.run(this.life);
  }

  stop() {
    this.life += 1;
    this.network?.abort();
    this.close?.();
    this.close = null;
  }

  isOver(life) { return this.life !== life; }

  async run(life) {
    for (let failures = 0; !this.isOver(life);) {
      const [before, began] = [this.messages, performance.now()];
      const failure = await this.connect(life).catch((error) => error);
      if (this.isOver(life) || failure === null) return;
      const wasThere = this.messages > before || performance.now() - began > LONGEST_PAUSE;
      failures = wasThere ? 0 : failures + 1;
      await this.backOff(failure, failures);
    }
  }

  // Opens a connection and receives until it ends: with the failure, or null where that was meant.
  async connect(life) {
    this.on.event(`connecting by ${this.kind}`, "waits");
    await this.learn(life);
    if (this.isOver(life)) return null;
    switch (this.kind) {
      case "sse": return this.sse();
      case "websocket": return this.websocket(life);
      default: return this.polls(life);
    }
  }

  async learn(life) {
    const source = await describe(this.base);
    const feed = this.isRoom ? null : source;
    if (this.isOver(life)) return;
    if (this.feed !== null && this.feed !== source.id) {
      this.after = null;
      this.on.event("what was held there is gone: it begins anew", "noted");
      this.on.restarted?.(source.id);
    }
    this.feed = source.id;
    this.isBinary = feed?.payload.content === "binary";
    this.after ??= Math.max(source.newest - this.history, source.oldest - 1, 0);
    if (this.isRoom) this.on.people?.(source.connected);
  }

  // Longer with each failure in a row, and not in step with other clients'. Offline, only `online` helps,
  // unless the server is on this machine.
  backOff(failure, failures) {
    const bound = navigator.onLine ? Math.min(SHORTEST_PAUSE * 2 ** failures, LONGEST_PAUSE) : LONGEST_PAUSE;
    const ms = Math.max(bound * (0.5 + Math.random() / 2), failure.pause ?? 0);
    const where = navigator.onLine ? "" : ", this browser is offline";
    this.on.event(`${failure.message}${where}; reconnecting in ${(ms / 1000).toFixed(1)} s`, "failed");
    return this.rest(ms);
  }

  rest(ms) {
    return new Promise((over) => {
      const timer = setTimeout(over, ms);
      this.close = () => { clearTimeout(timer); over(); };
    });
  }

  url(more = "") {
    const path = { "short-poll": "poll", websocket: "ws" }[this.kind] ?? this.kind;
    return `${this.base}/${path}?after=${this.after}&feed=${this.feed}${more}`;
  }

  // A message: text, bytes or a Blob. The next one has the next number.
  arrived(data, number = this.after + 1) {
    this.after = number;
    this.messages += 1;
    this.bytes += typeof data === "string" ? UTF8.encode(data).length : data.size ?? data.length;
    this.on.message(data, number);
  }

  async polls(life) {
    const waits = this.kind === "long-poll";
    // No answer to a long poll may come for long; waiting is being there.
    if (waits) this.on.event("open", "open");
    for (let isFirst = !waits; !this.isOver(life); isFirst = false) {
      const aborted = new AbortController();
      this.close = () => aborted.abort();
      this.requests += 1;
      const answer = await ask(this.url(waits ? `&timeout=${HELD}` : ""), { signal: aborted.signal });
      if (answer.status === 410) return this.gone(await answer.json());
      const body = new Uint8Array(await answer.arrayBuffer());
      if (this.isOver(life)) break;
      if (isFirst) this.on.event("open", "open");
      if (body.length > 0) this.batch(body); else this.empty += 1;
      if (!waits) await this.rest(this.interval());
    }
    return null;
  }

  // The messages after the cursor are no longer held, or are another feed's, which is learnt later.
  gone({ feed, oldest }) {
    if (feed === undefined) this.after = oldest - 1;
    return new Error("messages were missed: they are no longer held");
  }

  // `<decimal length>\n<message>`, repeated; lengths count bytes.
  batch(bytes) {
    const text = new TextDecoder();
    for (let at = 0; at < bytes.length;) {
      const feed = bytes.indexOf(10, at);
      const end = feed + 1 + Number(text.decode(bytes.subarray(at, feed)));
      this.arrived(this.read(bytes.subarray(feed + 1, end)));
      at = end;
    }
  }

  // A batch does not say which of a room's messages are text: those that can be.
  read(message) {
    if (this.isBinary) return message;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message);
    } catch {
      return message;
    }
  }

  sse() {
    let failure = new Error("error: the stream ended");
    this.requests += 1;
    const source = new EventSource(this.url(this.isRoom ? "&presence=1" : ""));
    return new Promise((ended) => {
      this.close = () => { source.close(); this.on.event("closed", "past"); ended(null); };
      const number = (event) => Number(event.lastEventId);
      source.onopen = () => this.on.event("open", "open");
      source.onmessage = (event) => this.arrived(event.data, number(event));
      source.addEventListener("binary", (event) => this.arrived(
        Uint8Array.from(atob(event.data), (char) => char.charCodeAt(0)), number(event)));
      source.addEventListener("presence", (event) => this.on.people?.(JSON.parse(event.data).connected));
      source.addEventListener("gone", (event) => { failure = this.gone(JSON.parse(event.data)); });
      // The cause is kept from scripts. The browser's own attempts would not notice another feed.
      source.onerror = () => { source.close(); ended(failure); };
    });
  }

  websocket(life) {
    this.requests += 1;
    const url = location.origin.replace(/^http/, "ws") + this.url();
    const socket = new WebSocket(url, this.isRoom ? [TAGGED] : []);
    socket.binaryType = this.binaryType;
    return new Promise((ended) => {
      this.close = () => { socket.close(1000); ended(null); };
      socket.onopen = () => { this.socket = socket; this.on.event("open", "open"); };
      socket.onmessage = ({ data }) => { if (!this.isOver(life)) this.heard(data, socket.protocol === TAGGED); };
      socket.onerror = () => { if (!this.isOver(life)) this.on.event("error", "noted"); };
      socket.onclose = ({ code, reason }) => {
        if (this.socket === socket) this.socket = null;
        if (code === 4410 && !this.isOver(life)) this.after = Number(reason.split(" ").pop()) - 1;
        const words = `closed with ${code}${reason ? `: ${reason}` : ""}`;
        if (this.isOver(life)) this.on.event(words, "past");
        else if (code === 1000) this.on.event(words, "closed");
        ended(this.isOver(life) || code === 1000 ? null : new Error(words));
      };
    });
  }

  heard(data, isTagged) {
    if (data instanceof ArrayBuffer) return this.arrived(new Uint8Array(data));
    if (data instanceof Blob || !isTagged) return this.arrived(data);
    if (data.startsWith("p")) return this.on.people?.(JSON.parse(data.slice(1)).connected);
    this.arrived(data.slice(1));
  }

  // Says text, bytes or a Blob in a room: on the WebSocket, or by a request of its own.
  async say(data) {
    if (this.socket) return this.socket.send(data);
    this.requests += 1;
    const type = typeof data === "string" ? "text/plain; charset=utf-8" : "application/octet-stream";
    await ask(`${this.base}/messages`, { method: "POST", body: data, headers: { "content-type": type } });
  }
}
