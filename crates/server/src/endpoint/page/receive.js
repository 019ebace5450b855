"use strict";
// Receiving: one client of a source, `/feed` or `/rooms/NAME`, by one transport. It goes on from the
// last message that it has, so that nothing is lost between two connections.

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const count = (n) => n.toLocaleString("en");
const KINDS = ["short-poll", "long-poll", "sse", "websocket"];
const TAGGED = "pushbench.tagged.v1";
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [500, 10_000];

// A source as its server describes it: another one has another id, and then no number of before means
// anything.
async function describe(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

class Receiver {
  // What is heard goes to `on`: message(data, number), event(words, state), restarted(), people(number).
  constructor(base, kind, on, options = {}) {
    Object.assign(this, { base, kind, on, interval: () => 1000, isRoom: false }, options);
    Object.assign(this, { after: null, feed: null, messages: 0, requests: 0, empty: 0, bytes: 0 });
    this.life = 0; // changes whenever it is started or stopped
  }

  start() {
    this.stop();
    const life = this.life;
    this.run(life).catch((error) => this.on.event(String(error), "failed"));
  }

  stop() {
    this.life += 1;
    this.close?.();
    this.close = null;
  }

  isOver(life) { return this.life !== life; }

  async run(life) {
    for (let failures = 0; !this.isOver(life);) {
      const before = this.messages;
      const why = await this.connect(life).catch((error) => error.message);
      if (this.isOver(life) || why === null) return;
      failures = this.messages > before ? 0 : failures + 1;
      await this.pause(why, failures, life);
    }
  }

  // Opens a connection and receives until it ends: why it did, or null where that was meant.
  async connect(life) {
    await this.learn();
    this.on.event(`connecting by ${this.kind}`, "waits");
    switch (this.kind) {
      case "sse": return this.sse(life);
      case "websocket": return this.websocket(life);
      default: return this.polls(life);
    }
  }

  async learn() {
    const feed = await describe("/feed");
    const source = this.isRoom ? await describe(this.base) : feed;
    this.requests += this.isRoom ? 2 : 1;
    if (this.feed !== null && this.feed !== source.id) {
      this.after = null;
      this.on.event("what was held there is gone: it begins anew", "waits");
      this.on.restarted?.(feed);
    }
    this.feed = source.id;
    this.isBinary = !this.isRoom && feed.payload.content === "binary";
    this.after ??= source.newest;
    if (this.isRoom) this.on.people?.(source.connected);
  }

  async pause(why, failures, life) {
    if (!navigator.onLine) {
      this.on.event(`${why}; this browser is offline`, "failed");
      await new Promise((online) => addEventListener("online", online, { once: true }));
      return;
    }
    const bound = Math.min(SHORTEST_PAUSE * 2 ** failures, LONGEST_PAUSE);
    const ms = bound * (0.5 + Math.random() / 2);
    this.on.event(`${why}; reconnecting in ${(ms / 1000).toFixed(1)} s`, "failed");
    const until = performance.now() + ms;
    while (performance.now() < until && !this.isOver(life)) await wait(50);
  }

  url(more = "") {
    return `${this.base}/${this.path()}?after=${this.after}&feed=${this.feed}${more}`;
  }

  path() {
    return { "short-poll": "poll", websocket: "ws" }[this.kind] ?? this.kind;
  }

  // A message: text or bytes. The next one has the next number.
  arrived(data, number = this.after + 1) {
    this.after = number;
    this.messages += 1;
    this.bytes += data.length;
    this.on.message(data, number);
  }

  async polls(life) {
    const aborted = new AbortController();
    this.close = () => aborted.abort();
    const signal = aborted.signal;
    // No answer to a long poll may come for long; waiting is being there.
    if (this.kind === "long-poll") this.on.event("open", "open");
    for (let isFirst = this.kind === "short-poll"; !this.isOver(life); isFirst = false) {
      const wait_s = this.kind === "long-poll" ? "&timeout=25s" : "";
      this.requests += 1;
      const answer = await fetch(this.url(wait_s), { cache: "no-store", signal });
      if (!answer.ok) return this.refused(answer);
      if (isFirst) this.on.event("open", "open");
      const body = new Uint8Array(await answer.arrayBuffer());
      if (body.length > 0) this.batch(body); else this.empty += 1;
      if (this.kind === "short-poll") await this.rest(life);
    }
    return null;
  }

  async rest(life) {
    const until = performance.now() + this.interval();
    while (performance.now() < until && !this.isOver(life)) await wait(Math.min(50, this.interval()));
  }

  // 410: what came after the cursor is gone, or it is another feed's.
  async refused(answer) {
    if (answer.status === 410) {
      const gone = await answer.json();
      if (gone.feed === undefined) this.after = gone.oldest - 1;
    }
    return `answered ${answer.status}`;
  }

  // `<decimal length>\n<message>`, repeated; lengths count bytes.
  batch(bytes) {
    const text = new TextDecoder();
    for (let at = 0; at < bytes.length;) {
      const feed = bytes.indexOf(10, at);
      const end = feed + 1 + Number(text.decode(bytes.subarray(at, feed)));
      const message = bytes.subarray(feed + 1, end);
      this.arrived(this.isBinary ? message : text.decode(message));
      at = end;
    }
  }

  sse(life) {
    this.requests += 1;
    const source = new EventSource(this.url(this.isRoom ? "&presence=1" : ""));
    return new Promise((ended) => {
      this.close = () => { source.close(); ended(null); };
      const number = (event) => Number(event.lastEventId);
      source.onopen = () => this.on.event("open", "open");
      source.onmessage = (event) => this.arrived(event.data, number(event));
      source.addEventListener("binary", (event) => this.arrived(
        Uint8Array.from(atob(event.data), (char) => char.charCodeAt(0)), number(event)));
      source.addEventListener("presence", (event) => this.on.people?.(JSON.parse(event.data).connected));
      source.addEventListener("gone", (event) => { this.after = JSON.parse(event.data).oldest - 1; });
      source.onerror = () => { source.close(); ended(this.isOver(life) ? null : "the stream ended"); };
    });
  }

  websocket(life) {
    this.requests += 1;
    const url = location.origin.replace(/^http/, "ws") + this.url();
    const socket = new WebSocket(url, this.isRoom ? [TAGGED] : []);
    socket.binaryType = "arraybuffer";
    return new Promise((ended) => {
      this.close = () => { socket.close(1000); ended(null); };
      this.send = (text) => socket.send(text);
      socket.onopen = () => this.on.event("open", "open");
      socket.onmessage = ({ data }) => this.heard(data, socket.protocol === TAGGED);
      socket.onerror = () => this.on.event("error", "failed");
      socket.onclose = ({ code, reason }) => {
        this.send = null;
        if (code === 4410) this.after = Number(reason.split(" ").pop()) - 1;
        const words = `closed with ${code}${reason ? `: ${reason}` : ""}`;
        if (code === 1000) this.on.event(words, "closed");
        ended(this.isOver(life) || code === 1000 ? null : words);
      };
    });
  }

  heard(data, isTagged) {
    if (typeof data !== "string") return this.arrived(new Uint8Array(data));
    if (!isTagged) return this.arrived(data);
    if (data.startsWith("p")) return this.on.people?.(JSON.parse(data.slice(1)).connected);
    this.arrived(data.slice(1));
  }

  // Says something in a room: on the WebSocket, or by a request of its own.
  async say(text) {
    if (this.kind === "websocket" && this.send) return this.send(text);
    this.requests += 1;
    const answer = await fetch(`${this.base}/messages`, { method: "POST", body: text });
    if (!answer.ok) throw new Error(`not said: the server answered ${answer.status} ${await answer.text()}`);
  }
}
