// The view of one connection: its status, its events as they come, and its counts.

const LONGEST_LIST = 200;

function entry(list, text, state) {
  const atEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 8;
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString("en-GB");
  item.append(time, text);
  if (state) item.dataset.is = state;
  list.append(item);
  while (list.children.length > LONGEST_LIST) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

class View {
  constructor(panel) {
    this.panel = panel;
    this.told = 0; // messages that stand among the events
    for (const kind of KINDS) this.part("kind")?.append(new Option(kind));
    if (this.part("kind")) this.part("kind").value = "websocket";
  }

  part(name) { return this.panel.querySelector(`[data-f=${name}]`); }

  event(words, state) {
    const status = this.part("status");
    status.textContent = words;
    status.dataset.is = state;
    entry(this.part("events"), words, state);
  }

  // Messages come by the dozen, so that those since the last look are one event.
  counts(receiver) {
    const more = (receiver?.messages ?? 0) - this.told;
    if (more > 0) entry(this.part("events"), `${more === 1 ? "message" : `${count(more)} messages, the last is`} ${count(receiver.after)}`);
    this.told = receiver?.messages ?? 0;
    this.part("counts").textContent = receiver === null ? "" :
      `${count(receiver.messages)} messages, ${count(receiver.bytes)} bytes of them, ${count(receiver.requests)} requests`;
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
