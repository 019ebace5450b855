// The ticker: the newest value of each symbol, and its last ones as a line.

const LINE = 60; // values in a line
const MOST_QUOTES = 40;

class Ticker {
  constructor(panel) {
    this.view = new View(panel);
    this.quotes = new Map();
    this.others = new Set(); // symbols for which there is no room
    this.newest = null; // a message that holds no quotes
    this.view.part("kind").onchange = () => { this.view.leave(); this.show(); };
    this.view.part("toggle").onclick = () => { if (this.view.isClosed) this.show(); else this.view.leave(); };
  }

  show() {
    const view = this.view;
    view.begin(new Receiver("/feed", view.part("kind").value, {
      event: (words, state) => view.event(words, state),
      message: (data) => this.take(data),
    }));
  }

  hide() {
    if (!this.view.isClosed) this.view.leave();
  }

  // A message has several quotes, with a price or a bid; any other is shown as it is, and its size.
  take(data) {
    const quotes = parsed(data)?.quotes;
    if (!Array.isArray(quotes)) {
      this.newest = data;
      this.put("bytes of a message", data.length, count(data.length));
      return;
    }
    for (const { sym, px, bp } of quotes) {
      const price = Number(px ?? bp);
      if (Number.isFinite(price)) this.put(String(sym), price, price.toFixed(2));
    }
  }

  put(name, value, text) {
    if (!this.quotes.has(name)) {
      if (this.quotes.size >= MOST_QUOTES) {
        if (this.others.size < 10_000) this.others.add(name);
        return;
      }
      this.quotes.set(name, this.box(name));
    }
    const box = this.quotes.get(name);
    box.values.push(value);
    if (box.values.length > LINE) box.values.shift();
    Object.assign(box, { text, isDrawn: false });
  }

  box(name) {
    const box = document.getElementById("quote").content.cloneNode(true).firstElementChild;
    const part = (name) => box.querySelector(`[data-f=${name}]`);
    part("name").textContent = name;
    this.view.part("quotes").append(box);
    return { value: part("value"), line: part("line"), values: [], text: "" };
  }

  draw() {
    for (const box of this.quotes.values()) {
      if (!box.isDrawn) this.line(box);
      box.isDrawn = true;
    }
    const newest = this.view.part("newest");
    newest.hidden = this.newest === null;
    if (this.newest !== null) newest.textContent = shown(this.newest);
    this.view.part("others").textContent = this.others.size > 0 ? `and ${count(this.others.size)} symbols more` : "";
    this.view.part("toggle").textContent = this.view.isClosed ? "Connect" : "Disconnect";
    this.view.counts();
  }

  line({ value, line, values, text }) {
    value.textContent = text;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const height = (value) => most > least ? 19 - 18 * (value - least) / (most - least) : 10;
    const start = LINE - values.length;
    line.setAttribute("points", values.map((value, at) => `${start + at},${height(value).toFixed(2)}`).join(" "));
  }
}
