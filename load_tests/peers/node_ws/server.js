// The npm package ws, as its documentation broadcasts: every client is sent the message.
"use strict";

const readline = require("node:readline");
const { WebSocket, WebSocketServer } = require("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  backlog: 4096,
  perMessageDeflate: false,
});
let sequence = 0;

function message(size) {
  const atUs = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const head = `{"sequence":${++sequence},"at_us":${atUs},"text":"`;
  return head + "x".repeat(size - head.length - 2) + '"}';
}

function send(count, size) {
  for (let i = 0; i < count; i++) {
    const data = Buffer.from(message(size));
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: false });
    }
  }
  console.log(`sent ${sequence}`);
}

server.on("listening", () => console.log(server.address().port));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [, count, size] = line.split(" ").map(Number);
  send(count, size);
}).on("close", () => process.exit(0));
