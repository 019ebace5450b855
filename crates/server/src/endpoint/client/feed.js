// One client of the feed, by one transport. Instants are those of performance.now(), taken first thing
// when the browser gives a message to the script.

const AGAIN = 1000; // milliseconds until a poll that failed is sent again
const text = new TextDecoder();

const feed = {
  at: [], numbers: [], // each message: when it came, and which it is
  requests: [], empty: [], skipped: [], lost: [], errors: [], // when something else happened
  words: [], // of the first errors
  hidden: document.visibilityState === "visible" ? 0 : 1, // how often the tab was out of sight
  newest: 0, opened: null, asked: null, after: 0, over: false,

  // Learns where the feed is, and whose numbers these are.
  async learn() {
    const source = await (await fetch("/feed", { cache: "no-store" })).json();
    this.after = source.newest;
    this.id = source.id;
  },

  // Opens a stream. A poll has nothing to open.
  open(kind) {
    this.asked = performance.now();
    const stream = { sse: () => this.sse(), websocket: () => this.websocket() }[kind];
    if (stream) stream(); else this.opened = this.asked;
  },

  // Begins to poll, at an instant and then each `period`, where it polls; `hold` is how long an answer
  // may take.
  begin(kind, first, period, hold) {
    if (kind === "long-poll") this.longPolls(hold);
    if (kind === "short-poll") this.shortPolls(first, period);
  },

  failed(words) {
    this.errors.push(performance.now());
    if (this.words.length < 3) this.words.push(words);
  },

  came(at, number) {
    this.at.push(at);
    this.numbers.push(number);
    if (number > this.newest) this.newest = number;
  },

  // The number of a message: ten digits at its start, or the first member of a JSON object.
  number(head) {
    const found = /^\s*(?:\{\s*"[^"]*"\s*:\s*"?(\d+)|(\d{10}))/.exec(head);
    if (!found) this.failed("a message has no number");
    return found ? Number(found[1] ?? found[2]) : 0;
  },

  heard(at, data) {
    const number = this.number(typeof data === "string" ? data : text.decode(data.slice(0, 64)));
    if (number > 0) this.came(at, number);
    return number;
  },

  url(path, more = "") { return `/feed/${path}?after=${this.after}&feed=${this.id}${more}`; },

  sse() {
    this.requests.push(performance.now());
    const source = new EventSource(this.url("sse"));
    source.onopen = () => { this.opened ??= performance.now(); };
    source.onmessage = (event) => this.heard(performance.now(), event.data);
    source.addEventListener("binary", (event) => this.heard(performance.now(), atob(event.data)));
    source.onerror = () => {
      if (this.over) return;
      this.lost.push(performance.now());
      this.failed("the event stream broke");
    };
    this.stream = source;
  },

  websocket() {
    this.requests.push(performance.now());
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + this.url("ws"));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.opened ??= performance.now(); };
    socket.onmessage = (event) => this.heard(performance.now(), event.data);
    socket.onclose = ({ code }) => {
      if (this.over) return;
      this.lost.push(performance.now());
      this.failed(`the WebSocket closed with ${code}`);
    };
    this.stream = socket;
  },

  // One poll; whether it was answered as it should be.
  async poll(path, more) {
    this.requests.push(performance.now());
    try {
      const answer = await fetch(this.url(path, more), { cache: "no-store", signal: this.network.signal });
      const body = await answer.arrayBuffer();
      const at = performance.now();
      if (!answer.ok) { this.failed(`the server answered ${answer.status}`); return false; }
      if (body.byteLength === 0) this.empty.push(at); else this.batch(at, new Uint8Array(body));
      return true;
    } catch (error) {
      if (!this.over) this.failed(String(error));
      return false;
    }
  },

  // `<decimal length>\n<message>`, repeated; lengths count bytes.
  batch(at, bytes) {
    for (let start = 0; start < bytes.length;) {
      const mark = bytes.indexOf(10, start);
      const end = mark + 1 + Number(text.decode(bytes.subarray(start, mark)));
      this.after = Math.max(this.after, this.heard(at, bytes.subarray(mark + 1, end)));
      start = end;
    }
  },

  network: new AbortController(),

  async longPolls(hold) {
    while (!this.over) {
      if (!await this.poll("long-poll", `&timeout=${hold}ms`)) await this.rest(AGAIN);
    }
  },

  // Each period from the first on, however late a timer was; one that is due while another is
  // outstanding is left out.
  async shortPolls(first, period) {
    let isOut = false;
    for (let next = first; !this.over; next += period) {
      await this.rest(next - performance.now());
      if (this.over) return;
      if (isOut) { this.skipped.push(performance.now()); continue; }
      isOut = true;
      this.poll("poll", "").finally(() => { isOut = false; });
    }
  },

  rest(ms) { return new Promise((over) => { setTimeout(over, Math.max(ms, 0)); }); },

  // Ends it, and hands over what was noted.
  end() {
    this.over = true;
    this.stream?.close();
    this.network.abort();
    const { at, numbers, requests, empty, skipped, lost, errors, words, hidden, opened, asked } = this;
    return JSON.stringify({ at, numbers, requests, empty, skipped, lost, errors, words, hidden, opened, asked });
  },
};

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") feed.hidden += 1;
});
