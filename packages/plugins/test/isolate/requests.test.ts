/** Raw HTTP and streamed results of dynamic actors: their code has neither the platform's fetch nor its streams. */
import { expect, test } from "vitest";
import { DynamicWorld, dynamic } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const server = `
  state: { asked: 0 },
  onRequest: async (c, request) => {
    c.state.asked += 1;
    const path = request.url.replace(/^https?:..[^/]*/, "");
    if (path === "/echo") return new Response(request.body, { headers: request.headers });
    if (path === "/count") {
      let n = 0;
      return new Response(new ReadableStream({
        pull(controller) {
          n += 1;
          if (n > 3) controller.close();
          else controller.enqueue(new TextEncoder().encode("data: " + n + "\\n\\n"));
        },
      }), { headers: { "content-type": "text/event-stream" } });
    }
    if (path === "/endless") return new Response(new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1024)),
      cancel: () => { c.state.asked = -1; },
    }));
    if (path === "/cookies") {
      const headers = new Headers({ "x-a": "1" });
      headers.append("set-cookie", "a=1");
      headers.append("Set-Cookie", "b=2");
      return new Response(null, { status: 204, headers });
    }
    return Response.json({ path, method: request.method, mine: request.headers.get("X-Mine"), body: await request.text() }, { status: 201 });
  },
  actions: {
    asked: (c) => c.state.asked,
    tokens: async function* (c, to) {
      try { for (let n = 1; n <= to; n += 1) yield { n }; }
      finally { c.state.asked = -2; }
    },
  }`;

test("a dynamic actor answers HTTP: its own address, bodies both ways, headers and statuses", async () => {
  await using world = await DynamicWorld.start({ server: dynamic(server) });
  const handle = world.handle("server");
  const answer = await handle.fetch("/a?x=1", {
    method: "PUT",
    body: "ä body",
    headers: { "x-mine": "yes" },
  });
  expect([answer.status, await answer.json()]).toEqual([
    201,
    { path: "/a?x=1", method: "PUT", mine: "yes", body: "ä body" },
  ]);
  const large = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const echo = await handle.fetch("/echo", { method: "POST", body: large });
  expect(Buffer.compare(new Uint8Array(await echo.arrayBuffer()), large)).toBe(0);
  const events = await handle.fetch("/count");
  expect([events.headers.get("content-type"), await events.text()]).toEqual([
    "text/event-stream",
    "data: 1\n\ndata: 2\n\ndata: 3\n\n",
  ]);
  const cookies = await handle.fetch("/cookies");
  expect([cookies.status, cookies.headers.getSetCookie()]).toEqual([204, ["a=1", "b=2"]]);
});

test("a client that leaves ends the stream in the isolate; items flow, and end with their loop", async () => {
  await using world = await DynamicWorld.start({ server: dynamic(server) });
  const handle = world.handle("server");
  const leaving = new AbortController();
  const endless = await handle.fetch("/endless", { signal: leaving.signal });
  await endless.body?.getReader().read();
  leaving.abort();
  const asked = async (value: number): Promise<void> => {
    while ((await world.act("server", "asked")) !== value)
      await new Promise((resolve) => setImmediate(resolve));
  };
  await asked(-1);
  const items: unknown[] = [];
  for await (const item of handle.action({ name: "tokens", args: [300] })) items.push(item);
  expect(items).toHaveLength(300);
  await asked(-2);
  for await (const item of handle.connect().action({ name: "tokens", args: [1_000_000] })) {
    if ((item as { n: number }).n === 5) break;
  }
  await asked(-2);
});
