// The chat: a room in which everyone hears what anyone says. What people say is text, never markup.

class Chat {
  constructor(panel) {
    this.view = new View(panel);
    this.receiver = null;
    const part = (name) => this.view.part(name);
    part("name").value = `guest-${Math.floor(Math.random() * 1000)}`;
    part("join").onsubmit = (event) => { event.preventDefault(); this.join(); };
    part("say").onsubmit = (event) => { event.preventDefault(); this.say(); };
  }

  show() {}

  hide() {}

  join() {
    this.receiver?.stop();
    const view = this.view;
    const [room, kind] = [view.part("room").value, view.part("kind").value];
    const on = {
      event: (words, state) => view.event(words, state),
      message: (data) => this.hear(data),
      people: (connected) => this.people(connected),
    };
    this.receiver = new Receiver(`/rooms/${encodeURIComponent(room)}`, kind, on, { isRoom: true });
    this.receiver.start();
    for (const field of view.part("say").elements) field.disabled = false;
    view.part("text").placeholder = `Say something in ${room}`;
    view.part("text").focus();
  }

  async say() {
    const field = this.view.part("text");
    const text = field.value.trim();
    if (text === "" || this.receiver === null) return;
    field.value = "";
    try {
      await this.receiver.say(JSON.stringify({ from: this.view.part("name").value, text }));
    } catch (error) {
      field.value = text;
      this.view.event(error.message, "failed");
    }
  }

  hear(data) {
    const said = parsed(data);
    const list = this.view.part("said");
    const item = document.createElement("li");
    if (typeof said?.text === "string") {
      const name = document.createElement("b");
      name.textContent = String(said.from ?? "");
      item.append(name, said.text);
    } else {
      item.textContent = shown(data);
    }
    list.append(item);
    while (list.children.length > LONGEST_LIST) list.firstChild.remove();
    list.scrollTop = list.scrollHeight;
  }

  people(connected) {
    this.view.part("connected").textContent = `${count(connected)} here`;
  }

  // Polls are told by nobody how many are there.
  async look() {
    const receiver = this.receiver;
    if (receiver === null || !receiver.kind.endsWith("poll")) return;
    const room = await describe(receiver.base).catch(() => null);
    if (room !== null) this.people(room.connected);
  }

  draw() {
    this.view.counts(this.receiver);
  }
}
