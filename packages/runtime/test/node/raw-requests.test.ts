/** Raw HTTP on a real port: bodies that are larger than any buffer, slow readers, clients that leave, and one connection for many. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { createClient } from "@troupe/client";
import { actor, type Registry, setup } from "@troupe/runtime";
import { expect, test } from "vitest";

const MIB = 1024 * 1024;

const seen = { made: 0, cancelled: 0, aborted: 0, awake: [] as readonly string[] };

const files = actor({
  state: { uploads: 0 },
  onRequest: async (c, request) => {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/upload": {
        const digest = createHash("sha256");
        let length = 0;
        for await (const chunk of request.body ?? []) {
          digest.update(chunk);
          length += chunk.byteLength;
        }
        c.state.uploads += 1;
        return Response.json({ length, digest: digest.digest("hex"), uploads: c.state.uploads });
      }
      case "/echo":
        return new Response(request.body, { headers: { "content-type": "application/octet-stream" } });
      case "/endless":
        c.abortSignal.addEventListener("abort", () => {
          seen.aborted += 1;
        });
        return new Response(
          new ReadableStream({
            pull: (controller) => {
              seen.made += 1;
              controller.enqueue(new Uint8Array(64 * 1024));
            },
            cancel: () => {
              seen.cancelled += 1;
            },
          }),
        );
      case "/cookies": {
        const headers = new Headers({ "x-one": "1" });
        headers.append("set-cookie", "a=1");
        headers.append("set-cookie", "b=2; Secure");
        return new Response(null, { status: 204, headers });
      }
      case "/authorization":
        return new Response(request.headers.get("authorization") ?? "none");
      case "/origin":
        return new Response(request.url);
      default:
        return new Response(searchParams.get("say"), { status: 404 });
    }
  },
  actions: {},
});

type Files = Registry<{ files: typeof files }>;

async function serve(access: { token?: string; auth?: "token" } = {}) {
  const registry = setup({ use: { files }, ...access });
  const { endpoint, port } = await registry.start({
    port: 0,
    dataDir: "unused",
    durability: "memory",
    signals: false,
    banner: false,
  });
  const { token } = access;
  const client = createClient<Files>({ endpoint, ...(token === undefined ? {} : { token }) });
  return {
    client,
    port,
    url: `${endpoint}/actor/files/request`,
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
      await registry.stop();
    },
  };
}

/** `count` pieces of one MiB each, made as they are read. */
function pieces(count: number): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream(
    {
      pull: (controller) => {
        if (left === 0) return controller.close();
        controller.enqueue(new Uint8Array(MIB).fill(left));
        left -= 1;
      },
    },
    { highWaterMark: 0 },
  );
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 500_000; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it never came: ${condition}`);
}

test("an upload of more than any buffer comes whole, and the same client goes on", async () => {
  await using server = await serve();
  const files = server.client.files.getOrCreate("a");
  const expected = createHash("sha256");
  for (let left = 48; left > 0; left -= 1) expected.update(new Uint8Array(MIB).fill(left));
  const answer = await files.fetch("/upload", { method: "POST", body: pieces(48) });
  expect(await answer.json()).toEqual({ length: 48 * MIB, digest: expected.digest("hex"), uploads: 1 });
  const small = await files.fetch("upload", { method: "POST", body: "x" });
  expect(await small.json()).toMatchObject({ length: 1, uploads: 2 });
});

test("both ways at once: what is sent comes back while more is sent", async () => {
  await using server = await serve();
  const answer = await server.client.files
    .getOrCreate("a")
    .fetch("/echo", { method: "POST", body: pieces(8) });
  let length = 0;
  for await (const chunk of answer.body ?? []) length += chunk.byteLength;
  expect(length).toBe(8 * MIB);
});

test("a client that stops reading stops the stream, and one that leaves ends it", async () => {
  await using server = await serve();
  const before = seen.made;
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /actor/files/request/endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await once(socket, "readable");
  let made = -1;
  // What the kernel takes is its own; then nothing more is made.
  while (made !== seen.made) {
    made = seen.made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect((made - before) * 64 * 1024).toBeLessThan(64 * MIB);
  const { cancelled, aborted } = seen;
  socket.destroy();
  await until(() => seen.cancelled === cancelled + 1 && seen.aborted === aborted + 1);
});

test("an aborted fetch and a body that is cancelled end the stream at the actor", async () => {
  await using server = await serve();
  const files = server.client.files.getOrCreate("a");
  const { cancelled } = seen;
  const leaving = new AbortController();
  const first = await files.fetch("/endless", { signal: leaving.signal });
  await first.body?.getReader().read();
  leaving.abort();
  await until(() => seen.cancelled === cancelled + 1);
  const second = await files.fetch("/endless");
  await second.body?.cancel();
  await until(() => seen.cancelled === cancelled + 2);
});

test("answers without a body, cookies, statuses, and one connection for several requests", async () => {
  await using server = await serve();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = async (path: string, method = "GET"): Promise<[IncomingMessage, string]> => {
    const request = httpRequest(`${server.url}${path}`, { agent, method }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return [response, (await response.toArray()).join("")];
  };
  const [cookies] = await get("/cookies");
  expect([cookies.statusCode, cookies.headers["set-cookie"]]).toEqual([204, ["a=1", "b=2; Secure"]]);
  const [missing, text] = await get("/missing?say=nothing%20here");
  expect([missing.statusCode, text]).toEqual([404, "nothing here"]);
  const [again] = await get("/origin");
  expect(new Set([cookies.socket, missing.socket, again.socket]).size).toBe(1);
  const [head, none] = await get("/missing?say=x", "HEAD");
  expect([head.statusCode, none]).toEqual([404, ""]);
  // A Request can't have it.
  const [trace] = await get("/missing", "TRACE");
  expect([trace.statusCode, trace.headers["troupe-error"]]).toEqual([405, "gateway.method_not_allowed"]);
  agent.destroy();
});

test("an upload that nobody reads is answered, and its connection ends", async () => {
  await using server = await serve();
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    "POST /actor/files/request/ignored?say=enough HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\nstart",
  );
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 404 [\s\S]*enough/);
});

test("a gateway's token is the gateway's: the actor doesn't get it", async () => {
  await using server = await serve({ token: "s3cret", auth: "token" });
  expect((await fetch(`${server.url}/authorization`)).status).toBe(401);
  const handle = server.client.files.getOrCreate("a");
  expect(await (await handle.fetch("/authorization")).text()).toBe("none");
  await using open = await serve();
  const own = { headers: { authorization: "Bearer mine" } };
  expect(await (await open.client.files.getOrCreate("a").fetch("/authorization", own)).text()).toBe(
    "Bearer mine",
  );
  expect(await (await fetch(`${open.url}/origin?q=1`)).text()).toBe(
    `http://127.0.0.1:${open.port}/origin?q=1`,
  );
});

test("nothing listens: surely not sent; a body that can be sent again is, one that streams isn't", async () => {
  const gone = await serve();
  await gone[Symbol.asyncDispose]();
  const endpoint = `http://127.0.0.1:${gone.port}`;
  const client = createClient<Files>({ endpoint, retry: { deadlineMs: 0 } });
  const handle = client.files.getOrCreate("a");
  await expect(handle.fetch("/x")).rejects.toMatchObject({ code: "not_sent", retryable: true });
  await expect(handle.fetch("/x", { method: "POST", body: pieces(1) })).rejects.toMatchObject({
    code: "not_sent",
    retryable: false,
  });
  await expect(handle.fetch("/x", { signal: AbortSignal.abort() })).rejects.toMatchObject({
    group: "client",
    code: "aborted",
  });
  await client.dispose();
});
