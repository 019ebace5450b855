// The ticker: the newest value of each symbol, and its last ones as a line.

const LINE = 60; // values in a line
const MOST_QUOTES = 40;

class Ticker {
  constructor(panel) {
    this.view = new View(panel);
    this.quotes = new Map();
    this.receiver = null;
    this.view.part("kind").onchange = () => { this.receiver?.stop(); this.show(); };
  }

  show() {
    const view = this.view;
    this.receiver = new Receiver("/feed", view.part("kind").value, {
      event: (words, state) => view.event(words, state),
      message: (data) => this.take(data),
    });
    this.receiver.start();
  }

  hide() {
    this.receiver?.stop();
    this.view.event("left", "closed");
  }

  // A message has several quotes, with a price or a bid; of any other the size is shown.
  take(data) {
    const quotes = parsed(data)?.quotes;
    if (!Array.isArray(quotes)) return this.put("bytes of a message", data.length, `${data.length} B`);
    for (const { sym, px, bp } of quotes) {
      const price = Number(px ?? bp);
      if (Number.isFinite(price)) this.put(String(sym), price, price.toFixed(2));
    }
  }

  put(name, value, text) {
    if (!this.quotes.has(name)) {
      if (this.quotes.size >= MOST_QUOTES) return;
      this.quotes.set(name, this.box(name));
    }
    const box = this.quotes.get(name);
    box.values.push(value);
    if (box.values.length > LINE) box.values.shift();
    box.text = text;
  }

  box(name) {
    const box = document.createElement("article");
    box.className = "quote";
    const title = document.createElement("h3");
    title.textContent = name;
    const output = document.createElement("output");
    box.append(title, output);
    box.insertAdjacentHTML("beforeend", `<svg viewBox="0 0 ${LINE} 20" preserveAspectRatio="none" aria-hidden="true"><polyline/></svg>`);
    this.view.part("quotes").append(box);
    return { output, line: box.querySelector("polyline"), values: [], text: "" };
  }

  draw() {
    for (const { output, line, values, text } of this.quotes.values()) {
      output.textContent = text;
      const [least, most] = [Math.min(...values), Math.max(...values)];
      const height = (value) => most > least ? 19 - 18 * (value - least) / (most - least) : 10;
      const start = LINE - values.length;
      line.setAttribute("points", values.map((value, at) => `${start + at},${height(value).toFixed(2)}`).join(" "));
    }
    this.view.counts(this.receiver);
  }
}
