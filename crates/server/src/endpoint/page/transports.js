// The transports side by side: the same messages by all four, and which brings each first.

const SPAN = 10_000; // milliseconds on the timelines
const LOOKS = {
  "short-poll": { colour: "#0072B2", how: "Asks again and again, whether or not there is anything new." },
  "long-poll": { colour: "#E69F00", how: "Asks once and waits; the server answers as soon as there is something." },
  sse: { colour: "#009E73", how: "One response without end, to which the server adds each message." },
  websocket: { colour: "#CC79A7", how: "A connection of its own protocol, on which both sides may speak." },
};

class Column {
  constructor(kind, { firstSeen, events, restarted }) {
    const { colour, how } = LOOKS[kind];
    Object.assign(this, { kind, colour, firstSeen, events, restarted });
    this.box = document.getElementById("column").content.cloneNode(true).firstElementChild;
    this.box.style.setProperty("--colour", colour);
    this.part("title").textContent = kind;
    this.part("how").textContent = how;
    this.part("span").textContent = `${SPAN / 1000} s ago`;
    document.getElementById("columns").append(this.box);
    this.begin();
  }

  part(name) { return this.box.querySelector(`[data-f=${name}]`); }

  begin() {
    Object.assign(this, { behind: 0, arrivals: [], newest: null, since: performance.now() });
    this.receiver = new Receiver("/feed", this.kind, {
      event: (words, state) => this.event(words, state),
      message: (data, number) => this.take(data, number),
      restarted: (feed) => this.restarted(feed),
    }, { interval: () => Number(document.getElementById("interval").value) });
  }

  event(words, state) {
    this.events.add(`${this.kind}: ${words}`, state);
    if (state !== "past" && state !== "noted") this.state(state);
  }

  state(state) {
    const status = this.part("state");
    status.dataset.is = state;
    status.textContent = { waits: "connecting", failed: "reconnecting" }[state] ?? state;
  }

  // No number of a feed that is gone means anything, so all is counted anew.
  restart() {
    Object.assign(this, { behind: 0, arrivals: [], newest: null, since: performance.now() });
    Object.assign(this.receiver, { messages: 0, requests: 0, empty: 0, bytes: 0 });
  }

  take(data, number) {
    const now = performance.now();
    if (!this.firstSeen.has(number)) {
      this.firstSeen.set(number, now);
      if (this.firstSeen.size > 20_000) this.firstSeen.delete(this.firstSeen.keys().next().value);
    }
    this.behind += now - this.firstSeen.get(number);
    this.arrivals.push(now);
    this.newest = data;
  }

  draw(now) {
    this.dots(now);
    const { messages, requests, empty, bytes } = this.receiver;
    const seconds = Math.max(Math.min(SPAN, now - this.since) / 1000, 0.1);
    this.part("messages").textContent = count(messages);
    this.part("rate").textContent = (this.arrivals.length / seconds).toFixed(1);
    this.part("behind").textContent = messages ? `${(this.behind / messages).toFixed(1)} ms` : "–";
    this.part("bytes").textContent = count(bytes);
    this.part("requests").textContent = count(requests);
    this.part("empty").textContent = this.kind.endsWith("poll") ? count(empty) : "–";
    this.part("newest").textContent = this.newest === null ? "nothing yet" : shown(this.newest);
  }

  dots(now) {
    while (this.arrivals.length > 0 && this.arrivals[0] < now - SPAN) this.arrivals.shift();
    const canvas = this.box.querySelector("canvas");
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.colour;
    // Messages that came together stand on top of each other.
    const stacks = new Map();
    for (const at of this.arrivals) {
      const slot = Math.floor(at / (SPAN / width * 4));
      const level = stacks.get(slot) ?? 0;
      stacks.set(slot, level + 1);
      if (level > 9) continue;
      pen.beginPath();
      pen.arc(width - (now - at) / SPAN * width, height - 4 - level * 4, 1.8, 0, 7);
      pen.fill();
    }
  }
}

class Transports {
  constructor() {
    this.isPaused = false;
    this.firstSeen = new Map(); // number of a message -> when it first came, on any transport
    this.feed = null;
    const events = new Events(document.querySelector("#transports [data-f=events]"));
    const shared = { firstSeen: this.firstSeen, events, restarted: (feed) => this.restart(feed) };
    this.columns = KINDS.map((kind) => new Column(kind, shared));
    document.getElementById("pause").onclick = ({ target }) => {
      this.isPaused = !this.isPaused;
      target.textContent = this.isPaused ? "Go on" : "Pause";
      if (this.isPaused) this.hide(); else this.show();
    };
    const [http, ws] = [location.origin, location.origin.replace(/^http/, "ws")];
    for (const cell of document.querySelectorAll("#endpoints code")) {
      cell.textContent = cell.textContent.replace("WSORIGIN", ws).replace("ORIGIN", http);
    }
  }

  // From now on: what came meanwhile is nobody's to catch up with.
  show() {
    if (this.isPaused) return;
    for (const column of this.columns) {
      column.since = performance.now();
      column.receiver.after = null;
      column.receiver.start();
    }
  }

  // All begin anew with the first that finds another feed.
  restart(feed) {
    if (feed === this.feed) return;
    this.feed = feed;
    this.firstSeen.clear();
    for (const column of this.columns) column.restart();
  }

  hide() {
    for (const column of this.columns) {
      column.receiver.stop();
      column.state("closed");
    }
  }

  draw() {
    const now = performance.now();
    for (const column of this.columns) column.draw(now);
  }
}
