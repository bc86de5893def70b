/** A fresh process, in which nobody has used fetch yet. Prints what happened, in order. */
import { createServer } from "node:http";
import { gateFetch } from "../../src/node/fetch-gate.ts";

const { promise: durable, resolve: release } = Promise.withResolvers<void>();
const ungate = gateFetch(() => durable);
const server = createServer((request, response) => {
  console.log(`request ${request.url}`);
  response.end("ok");
});
server.listen(0, "127.0.0.1", async () => {
  const address = server.address();
  const base = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  const answer = fetch(`${base}/gated`);
  // A request of our own by another way would have arrived by now, had it been sent behind.
  setImmediate(() => {
    console.log("durable");
    release();
  });
  await (await answer).text();
  ungate();
  await (await fetch(`${base}/free`)).text();
  server.closeAllConnections();
  server.close();
});
