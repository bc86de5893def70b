/**
 * A fresh process, in which nobody has used fetch yet. Prints what happened, in order.
 * Plain JavaScript, given the gate's compiled text: Node's own TypeScript support would load fetch, and so does an
 * import of node:http.
 */
const [, , gate = ""] = process.argv;
console.log(`loaded: ${Reflect.has(globalThis, Symbol.for("undici.globalDispatcher.1"))}`);
const { gateFetch } = await import(gate);
const { promise: durable, resolve: release } = Promise.withResolvers();
const ungate = gateFetch(() => durable);
const { createServer, get } = await import("node:http");
const server = createServer((request, response) => {
  console.log(`request ${request.url}`);
  response.end("ok");
});
server.listen(0, "127.0.0.1", async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const answer = fetch(`${base}/gated`);
  // One that goes another way shows that the server has had its time.
  await ask(`${base}/ungated`);
  console.log("durable");
  release();
  await (await answer).text();
  ungate();
  await (await fetch(`${base}/free`)).text();
  server.closeAllConnections();
  server.close();
});

async function ask(url) {
  return await new Promise((resolve) => get(url, (response) => response.resume().on("end", resolve)));
}
