// The chat: a room in which everyone hears what anyone says. What people say is text, never markup.

const HISTORY = 50; // messages from before one joined

class Chat {
  constructor(panel) {
    this.view = new View(panel);
    this.view.isClosed = true;
    const part = (name) => this.view.part(name);
    part("name").value = `guest-${Math.floor(Math.random() * 1000)}`;
    part("join").onsubmit = (event) => { event.preventDefault(); this.join(); };
    part("say").onsubmit = (event) => { event.preventDefault(); this.sayText(); };
    part("leave").onclick = () => { this.view.leave(); part("connected").textContent = ""; };
    part("file").onchange = ({ target }) => this.sayFile(target);
  }

  show() {}

  hide() {}

  // Joining another room leaves the one before; the same one by another transport goes on where it was.
  join() {
    const view = this.view;
    const base = `/rooms/${encodeURIComponent(view.part("room").value)}`;
    const before = view.receiver;
    before?.stop();
    const on = {
      event: (words, state) => this.event(words, state),
      message: (data) => this.hear(data),
      people: (connected) => this.people(connected),
    };
    const receiver = new Receiver(base, view.part("kind").value, on,
      { isRoom: true, history: HISTORY, binaryType: "blob" });
    if (before?.base === base) Object.assign(receiver, { after: before.after, feed: before.feed });
    else this.forget();
    view.begin(receiver);
    view.part("text").placeholder = `Say something in ${view.part("room").value}`;
    this.enable();
    view.part("text").focus();
  }

  // How many are there is known only while one is there too.
  event(words, state) {
    this.view.event(words, state);
    if (state === "failed" || state === "closed") this.view.part("connected").textContent = "";
  }

  forget() {
    for (const link of this.view.part("said").querySelectorAll("a")) URL.revokeObjectURL(link.href);
    this.view.part("said").replaceChildren();
  }

  async say(data) {
    try {
      await this.view.receiver.say(data);
      return true;
    } catch (error) {
      this.view.event(`not said: ${error.message}`, "noted");
      return false;
    }
  }

  async sayText() {
    const field = this.view.part("text");
    const text = field.value.trim();
    if (text === "") return;
    field.value = "";
    const wasSaid = await this.say(JSON.stringify({ from: this.view.part("name").value, text }));
    if (!wasSaid) field.value = text;
  }

  async sayFile(input) {
    const [file] = input.files;
    input.value = "";
    if (file) await this.say(file);
  }

  hear(data) {
    const item = element("li");
    const said = parsed(data);
    if (typeof data !== "string") item.append(this.link(data));
    else if (typeof said?.text === "string") item.append(element("b", String(said.from ?? "")), said.text);
    else item.textContent = shown(data);
    append(this.view.part("said"), item);
  }

  // Bytes are to be kept, not looked at.
  link(data) {
    const blob = data instanceof Blob ? data : new Blob([data]);
    const link = element("a", `${count(blob.size)} bytes, to be saved`);
    link.href = URL.createObjectURL(blob);
    link.download = "said.bin";
    return link;
  }

  people(connected) {
    this.view.part("connected").textContent = `${count(connected)} here`;
  }

  // Polls are told by nobody how many are there.
  async look() {
    const receiver = this.view.receiver;
    if (!receiver || this.view.isClosed || !receiver.kind.endsWith("poll")) return;
    const room = await describe(receiver.base).catch(() => null);
    if (room !== null && receiver === this.view.receiver) this.people(room.connected);
  }

  enable() {
    const { isClosed } = this.view;
    for (const field of this.view.part("say").elements) field.disabled = isClosed;
    this.view.part("leave").disabled = isClosed;
  }

  draw() {
    this.enable();
    this.view.counts();
  }
}
