// The view of one connection: its status, its events as they come, and its counts.

const LONGEST_LIST = 200;

// Adds to a list that forgets what is long ago; its box shows the end (`.ends`).
function append(list, item) {
  list.append(item);
  while (list.children.length > LONGEST_LIST) list.firstElementChild.remove();
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const several = (n, thing) => `${count(n)} ${thing}${n === 1 ? "" : "s"}`;

class Events {
  constructor(list) {
    this.list = list;
    this.run = null; // the entry of messages that came one after the other
  }

  add(words, state) {
    this.run = null;
    const item = element("li");
    item.append(element("time", new Date().toLocaleTimeString("en-GB")), words);
    item.dataset.is = state;
    append(this.list, item);
    return item;
  }

  // Messages come by the dozen: those with no other event between them share an entry.
  messages(more, newest) {
    if (this.run === null) {
      const item = this.add("", "messages");
      this.run = { item, first: newest - more + 1 };
    }
    const { item, first } = this.run;
    const words = first === newest ? `message ${count(newest)}` : `messages ${count(first)} to ${count(newest)}`;
    item.lastChild.remove();
    item.append(words);
  }
}

class View {
  constructor(panel) {
    this.panel = panel;
    this.told = 0; // messages that stand among the events
    this.events = new Events(this.part("events"));
    for (const kind of KINDS) this.part("kind").append(new Option(kind));
    this.part("kind").value = "websocket";
  }

  part(name) { return this.panel.querySelector(`[data-f=${name}]`); }

  // An event of the connection; states are those of `Receiver`.
  event(words, state) {
    this.counts(this.receiver);
    this.events.add(words, state);
    if (state === "past" || state === "noted") return;
    const status = this.part("status");
    status.textContent = words;
    status.dataset.is = state;
    this.isClosed = state === "closed";
  }

  begin(receiver) {
    this.counts();
    this.receiver = receiver;
    this.told = 0;
    receiver.start();
  }

  leave() {
    this.receiver?.stop();
    this.event("not connected", "closed");
  }

  counts(receiver = this.receiver) {
    if (!receiver) return;
    const more = receiver.messages - this.told;
    this.told = receiver.messages;
    if (more > 0) this.events.messages(more, receiver.after);
    const { messages, bytes, requests } = receiver;
    const parts = [several(messages, "message"), several(bytes, "byte"), several(requests, "request")];
    this.part("counts").textContent = parts.join(" · ");
  }
}

// Data of a message as a person reads it.
function shown(data) {
  if (typeof data === "string") return data.length > 300 ? `${data.slice(0, 300)} …` : data;
  const hex = Array.from(data.slice(10, 74), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${String.fromCharCode(...data.slice(0, 10))} ${hex}${data.length > 74 ? " …" : ""}`;
}

// The object that a message is in JSON; null where it is none.
function parsed(data) {
  if (typeof data !== "string" || !data.startsWith("{")) return null;
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
