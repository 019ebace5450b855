// The tabs (WAI-ARIA Authoring Practices, "Tabs"): arrows, Home and End choose one. Only the chosen one
// draws; a connection that nobody looks at is given up, but for that of the chat.

const views = {
  ticker: new Ticker(document.getElementById("ticker")),
  chat: new Chat(document.getElementById("chat")),
  transports: new Transports(),
};
const tabs = [...document.querySelectorAll("[role=tab]")];
let chosen = null;

function choose(tab, takesFocus) {
  const name = tab.getAttribute("aria-controls");
  if (name === chosen) return;
  if (chosen !== null) views[chosen].hide();
  chosen = name;
  for (const each of tabs) {
    const isChosen = each === tab;
    each.setAttribute("aria-selected", isChosen);
    each.tabIndex = isChosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !isChosen;
  }
  if (takesFocus) tab.focus();
  history.replaceState(null, "", `#${name}`);
  views[name].show();
}

for (const [at, tab] of tabs.entries()) {
  tab.onclick = () => choose(tab, true);
  tab.onkeydown = (event) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[to % tabs.length], true);
  };
}

async function tellOfFeed() {
  const feed = await describe("/feed");
  const { kind, rate } = feed.schedule;
  const when = kind === "manual" ? "published by hand (POST /feed/publish)" : `a ${kind} schedule${rate ? ` of ${rate}` : ""}`;
  document.getElementById("feed").textContent =
    `The feed: ${when}, payloads of ${Math.round(feed.payload.mean_bytes)} bytes (${feed.payload.content}), seed ${feed.seed}.`;
}

tellOfFeed().catch(() => { document.getElementById("feed").textContent = "The server did not describe its feed."; });
choose(tabs.find((tab) => location.hash === `#${tab.getAttribute("aria-controls")}`) ?? tabs[0], false);
setInterval(() => views[chosen].draw(), 100);
setInterval(() => views.chat.look(), 3000);
