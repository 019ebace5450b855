// A WebSocket echo by the package ws, which takes the orders of a run's server child: a plan, then orders,
// a JSON object a line on standard input.
const { WebSocketServer } = require("ws");
const readline = require("readline");
const measured = JSON.parse(process.argv[1]);
const say = (news) => process.stdout.write(JSON.stringify(news) + "\n");
let server = null;
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (!server) {
    const host = order.place.listen.slice(0, order.place.listen.lastIndexOf(":"));
    server = new WebSocketServer({ host, port: 0, backlog: 4096, perMessageDeflate: false });
    server.on("connection", (socket) => {
      socket.on("error", () => socket.terminate());
      socket.on("message", (message, binary) => socket.send(message, { binary }));
    });
    server.on("listening", () => say({ listening: { address: `${host}:${server.address().port}` } }));
  } else if (order === "stop") {
    say({ stopped: measured });
    process.exit(0);
  }
}).on("close", () => process.exit(0));
