"use strict";
// What a page lets people do beyond reading it: leave contenders out, choose points, sort tables, and read values
// off drawings, with a pointer or by keyboard. Without it everything is shown.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const made = (name, content) => Object.assign(document.createElement(name), content);

  // Contenders that are left out, and points that are not chosen.
  const tools = document.getElementById("tools");
  const out = new Set();
  const isChosen = (id) => all("select", tools).every(({ value }) => value === "" || value.split(" ").includes(id));
  const choose = () => {
    for (const part of all("[data-contender], [data-point]")) {
      const { contender, point } = part.dataset;
      if (!tools.contains(part)) part.classList.toggle("off", out.has(contender) || !!point && !isChosen(point));
    }
    for (const table of all("table.figures")) {
      const rest = table.parentElement.nextElementSibling;
      if (rest?.classList.contains("none")) rest.hidden = all("tbody tr:not(.off)", table).length > 0;
    }
  };
  if (tools) {
    tools.hidden = false;
    for (const button of all("button", tools)) {
      button.addEventListener("click", () => {
        const isIn = button.ariaPressed !== "true";
        button.ariaPressed = isIn;
        out[isIn ? "delete" : "add"](button.dataset.contender);
        choose();
      });
    }
    tools.addEventListener("change", choose);
    // A browser may remember what was chosen before.
    choose();
  }

  // Tables: least first, greatest first, and as they were.
  const key = (row, column) => {
    const { sort } = row.cells[column].dataset;
    return sort === undefined ? row.cells[column].textContent.trim() : Number(sort);
  };
  const compare = (one, other) => {
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return typeof one === "number" ? one - other : one.localeCompare(other);
  };
  for (const table of all("table.sortable")) {
    const [body] = table.tBodies;
    const first = [...body.rows];
    all("thead th", table).forEach((head, column) => {
      const button = made("button", { type: "button", title: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      head.ariaSort = "none";
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort];
        all("thead th", table).forEach((other) => { other.ariaSort = "none"; });
        head.ariaSort = next;
        const rows = [...first];
        const known = (row) => typeof key(row, column) === "number";
        const way = next === "descending" ? -1 : 1;
        // What is not known stands last either way.
        if (next !== "none") {
          rows.sort((a, b) => known(a) !== known(b) ? known(b) - known(a) : way * compare(key(a, column), key(b, column)));
        }
        body.append(...rows);
      });
    });
  }

  // Values of drawings.
  const REACH = 40;
  const tip = made("div", { id: "tip", role: "status", hidden: true });
  document.body.append(tip);
  let shown = null;
  const show = (value) => {
    shown?.classList.remove("at");
    shown = value;
    tip.hidden = !value;
    if (!value) return;
    value.classList.add("at");
    const { at, figure, value: amount, note } = value.dataset;
    const contender = value.closest("[data-contender]")?.dataset.contender ?? "";
    const lines = [made("b", { textContent: at ? `${contender}, ${at}` : contender }),
      made("span", { textContent: `${figure}: ${amount}` })];
    if (note) lines.push(made("span", { textContent: note }));
    tip.replaceChildren(...lines);
    const spot = value.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(spot.right + 8, document.documentElement.clientWidth - width - 4);
    const below = spot.bottom + 8 + height < innerHeight ? spot.bottom + 8 : spot.top - height - 8;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, below)}px`;
  };
  const distance = (value, x, y) => {
    const { left, right, top, bottom } = value.getBoundingClientRect();
    return Math.hypot(x < left ? left - x : Math.max(0, x - right), y < top ? top - y : Math.max(0, y - bottom));
  };
  for (const plot of all(".plot")) {
    // They would be shown twice.
    all(".value title", plot).forEach((title) => title.remove());
    const values = () => all("g:not(.off) > .value", plot);
    if (values().length === 0) continue;
    plot.addEventListener("pointermove", (event) => {
      const near = values().map((value) => [distance(value, event.clientX, event.clientY), value]);
      near.sort((one, other) => one[0] - other[0]);
      show(event.target.closest(".value") ?? (near[0]?.[0] < REACH ? near[0][1] : null));
    });
    plot.addEventListener("pointerleave", () => show(null));
    // Left and right go from value to value, up and down from contender to contender.
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.ariaLabel = `${plot.querySelector("svg").ariaLabel}: arrow keys read its values`;
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Escape: 0 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const list = values();
      const at = list.indexOf(shown);
      const owner = (value) => value.closest("[data-contender]")?.dataset.contender;
      const owners = [...new Set(list.map(owner))];
      const turn = (array, index) => array[(index + array.length) % array.length];
      if (step === 0) show(null);
      else if (at < 0) show(list[0]);
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        const next = turn(owners, owners.indexOf(owner(shown)) + step);
        const same = list.find((value) => owner(value) === next && value.dataset.at === shown.dataset.at);
        show(same ?? list.find((value) => owner(value) === next));
      } else {
        const own = list.filter((value) => owner(value) === owner(shown));
        show(turn(own, own.indexOf(shown) + step));
      }
    });
    plot.addEventListener("blur", () => show(null));
  }
  addEventListener("scroll", () => { if (shown && !shown.closest(".plot").matches(":focus")) show(null); }, { passive: true });
})();
