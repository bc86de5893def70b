/** Raw HTTP: what an actor gets, what its client gets and when, and how each side learns that the other is gone. */
import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

const text = new TextDecoder();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function codeIn(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: unknown };
  return codeOf(error);
}

/** A stream that a story feeds by hand. */
class Fed {
  readonly stream: ReadableStream<Uint8Array>;
  cancelled = false;
  pulled = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.pulled += 1;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
  }

  say(chunk: string): void {
    this.#controller?.enqueue(bytes(chunk));
  }

  close(): void {
    this.#controller?.close();
  }

  fail(error: unknown): void {
    this.#controller?.error(error);
  }
}

const secret = actor({
  onRequest: (_c, request) => new Response(request.headers.get("authorization")),
  actions: {},
});

test("behind a gateway with a token, an actor's own authorization goes from actor to actor alone", async () => {
  await using driver = await Driver.start({ secret }, { access: { auth: "token", token: "s3cret" } });
  const init = { headers: { authorization: "Bearer mine" } };
  expect(await (await driver.local().secret.getOrCreate("a").fetch("/", init)).text()).toBe("Bearer mine");
  const shown = { headers: { authorization: "Bearer s3cret" } };
  expect(await (await driver.fetch("/actor/secret/request", shown)).text()).toBe("");
  expect((await driver.fetch("/actor/secret/request", init)).status).toBe(401);
});

const mirror = actor({
  types: {} as { connParams: { user: string } },
  onRequest: async (c, request) =>
    Response.json({
      key: c.key,
      method: request.method,
      url: request.url,
      own: c.request === request,
      header: request.headers.get("x-mine"),
      hidden: [...request.headers.keys()].filter((name) => name.startsWith("troupe-")),
      params: c.conn.params,
      body: await request.text(),
    }),
  actions: {},
});

test("an actor sees its own path, its own parameters, its headers and the body", async () => {
  await using driver = await Driver.start({ mirror });
  const response = await driver.fetch("/actor/mirror/request/a/b%20c?x=1&troupe-key=k&x=2", {
    method: "PUT",
    headers: { "x-mine": "yes", "troupe-params": '{"user":"ann \\u00e4"}' },
    body: "hello",
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    key: ["k"],
    method: "PUT",
    url: "http://127.0.0.1/a/b%20c?x=1&x=2",
    own: true,
    header: "yes",
    hidden: [],
    params: { user: "ann ä" },
    body: "hello",
  });
  const bare = await driver.fetch("/actor/mirror/request");
  expect(await bare.json()).toMatchObject({ url: "http://127.0.0.1/", method: "GET", body: "", key: [] });
});

test("handle.fetch: strings, URLs and Requests; parameters, input and what goes with each", async () => {
  await using driver = await Driver.start({ mirror });
  for (const client of [driver.client(), driver.local()]) {
    const handle = client.mirror.getOrCreate(["a,b"], { params: { user: "ö" } });
    const path = (response: Response): Promise<unknown> => response.json();
    expect(await path(await handle.fetch("/x?y=1", { method: "POST", body: "1" }))).toMatchObject({
      key: ["a,b"],
      body: "1",
      params: { user: "ö" },
    });
    const url = new URL("https://elsewhere.example/from/url?q=1");
    expect(new URL(((await path(await handle.fetch(url))) as { url: string }).url).pathname).toBe(
      "/from/url",
    );
    const request = new Request("https://elsewhere.example/from/request", {
      method: "DELETE",
      headers: { "x-mine": "first" },
      body: "gone",
    });
    expect(await path(await handle.fetch(request, { headers: { "x-mine": "second" } }))).toMatchObject({
      method: "DELETE",
      header: "second",
      body: "gone",
    });
  }
});

test("what the gateway refuses is an answer of its own, marked as such", async () => {
  const silent = actor({ actions: {} });
  const odd = actor({
    onRequest: (_c, request) => {
      const kind = new URL(request.url).pathname.slice(1);
      if (kind === "throws") throw new UserError("no", { code: "mine" });
      if (kind === "breaks") throw new Error("secret");
      if (kind === "nothing") return undefined as never;
      if (kind === "status") return Response.error();
      if (kind === "header") return new Response("", { headers: { "x-bad": "a\u0001" } });
      if (kind === "headers") return new Response("", { headers: { long: "x".repeat(limits.headerBytes) } });
      const used = new Response("used");
      void used.body?.getReader();
      return used;
    },
    actions: {},
  });
  await using driver = await Driver.start({ silent, odd });
  const ask = async (path: string, init?: RequestInit) => {
    const response = await driver.fetch(path, init);
    return [response.status, response.headers.get("troupe-error"), await codeIn(response)];
  };
  expect(await ask("/actor/silent/request")).toEqual([404, "actor.no_handler", "actor.no_handler"]);
  expect(await ask("/actor/nobody/request")).toEqual([404, "actor.not_registered", "actor.not_registered"]);
  expect(await ask("/actor/odd/request?troupe-bogus=1")).toEqual([
    400,
    "gateway.bad_request",
    "gateway.bad_request",
  ]);
  const params = { headers: { "troupe-params": "{" } };
  expect((await ask("/actor/odd/request", params)).slice(0, 2)).toEqual([400, "gateway.bad_request"]);
  const long = { headers: { "troupe-params": JSON.stringify("x".repeat(limits.connectionParamsBytes)) } };
  expect((await ask("/actor/odd/request", long)).slice(0, 2)).toEqual([413, "connection.params_too_long"]);
  expect(await ask("/actor/odd/request/throws")).toEqual([400, "user.mine", "user.mine"]);
  for (const kind of ["breaks", "nothing", "status", "header", "headers", "locked"])
    expect([kind, ...(await ask(`/actor/odd/request/${kind}`))]).toEqual([
      kind,
      500,
      "internal.error",
      "internal.error",
    ]);
  const causes = driver.world.logged("error", "").map(({ fields }) => codeOf(fields["cause"]));
  if (process.env["TROUPE_TEST_CARRIED"] !== "1") {
    expect(causes).toContain("request.no_response");
    expect(causes).toContain("request.bad_response");
  }
});

test("the request's body streams in, no faster than it is read, and what nobody reads stays with its sender", async () => {
  const read: string[] = [];
  const more = new Latch();
  const sink = actor({
    onRequest: async (_c, request) => {
      if (request.url.endsWith("/unread")) return new Response("enough");
      const reader = request.body?.getReader();
      read.push(text.decode((await reader?.read())?.value));
      await more.promise;
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done || value === undefined) return new Response(`${read.length}`);
        read.push(text.decode(value));
      }
    },
    actions: {},
  });
  await using driver = await Driver.start({ sink });
  const fed = new Fed();
  const init = { method: "POST", body: fed.stream, duplex: "half" };
  const answer = watch(driver.fetch("/actor/sink/request", init));
  fed.say("one");
  await driver.world.until(() => read.length === 1);
  expect([read, answer.state]).toEqual([["one"], "pending"]);
  more.open();
  fed.say("two");
  await driver.world.until(() => read.length === 2);
  fed.close();
  await driver.world.until(() => answer.state !== "pending");
  expect(await answer.value?.text()).toBe("2");

  const ignored = new Fed();
  const unread = { method: "POST", body: ignored.stream, duplex: "half" };
  expect(await (await driver.fetch("/actor/sink/request/unread", unread)).text()).toBe("enough");
  await driver.world.until(() => ignored.cancelled);
});

test("a body that breaks off or falls silent is an error of whoever reads it", async () => {
  const seen: string[] = [];
  const sink = actor({
    onRequest: async (_c, request) => {
      try {
        return new Response(await request.text());
      } catch (cause) {
        seen.push(codeOf(cause));
        throw cause;
      }
    },
    actions: {},
  });
  await using driver = await Driver.start({ sink });
  const broken = new Fed();
  const first = watch(
    driver.fetch("/actor/sink/request", {
      method: "POST",
      body: broken.stream,
      duplex: "half",
    } as RequestInit),
  );
  broken.say("half");
  await driver.world.idle();
  broken.fail(new Error("cable"));
  await driver.world.until(() => first.state !== "pending");
  expect(await codeIn(first.value ?? new Response())).toBe("request.body_broken");
  const silent = new Fed();
  const second = watch(
    driver.fetch("/actor/sink/request", {
      method: "POST",
      body: silent.stream,
      duplex: "half",
    } as RequestInit),
  );
  await driver.world.idle();
  await driver.world.pass(limits.bodySilenceMs);
  await driver.world.until(() => second.state !== "pending");
  expect([second.value?.status, await codeIn(second.value ?? new Response())]).toEqual([
    408,
    "request.body_silent",
  ]);
  expect(seen).toEqual(["request.body_broken", "request.body_silent"]);
});

const feed = () => {
  const made: Fed[] = [];
  const aborted: string[] = [];
  const definition = actor({
    state: { count: 0 },
    onRequest: (c, request) => {
      c.state.count += 1;
      const fed = new Fed();
      made.push(fed);
      request.signal.addEventListener("abort", () => aborted.push(codeOf(c.abortSignal.reason)));
      return new Response(fed.stream, { headers: { "x-count": String(c.state.count) } });
    },
    actions: {
      add: (c) => {
        c.state.count += 1;
      },
      count: (c) => c.state.count,
    },
  });
  return { definition, made, aborted };
};

test("S2.1 (in part) neither head nor a byte of the body leaves before what was written before it is durable", async () => {
  const { definition, made } = feed();
  await using driver = await Driver.start({ feed: definition });
  await driver.act("feed", "add");
  driver.syncs.hold();
  const head = watch(driver.fetch("/actor/feed/request"));
  await driver.world.until(() => made.length === 1);
  await driver.world.idle();
  expect(head.state).toBe("pending");
  driver.syncs.finish();
  await driver.world.until(() => head.state === "resolved");
  expect(head.value?.headers.get("x-count")).toBe("2");
  const reader = head.value?.body?.getReader();
  const added = driver.act("feed", "add");
  await driver.world.idle();
  made[0]?.say("three");
  const chunk = watch(reader?.read() ?? Promise.reject(new Error("no body")));
  await driver.world.idle();
  expect(chunk.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.until(() => chunk.state === "resolved");
  expect(text.decode(chunk.value?.value)).toBe("three");
  expect((await added).status).toBe(200);
  made[0]?.close();
  expect((await reader?.read())?.done).toBe(true);
});

test("a failing disk: a head that waited is a 500, a body that has begun is reset", async () => {
  const { definition, made } = feed();
  await using driver = await Driver.start({ feed: definition });
  const open = await driver.fetch("/actor/feed/request");
  const reader = open.body?.getReader();
  driver.syncs.failWrites(1);
  const refused = await driver.fetch("/actor/feed/request");
  expect([refused.status, await codeIn(refused)]).toEqual([500, "storage.commit_failed"]);
  const end = watch(reader?.read() ?? Promise.resolve({ done: true }));
  await driver.world.until(() => end.state !== "pending");
  expect(end.state).toBe("rejected");
  await driver.world.until(() => made.every((fed) => fed.cancelled));
});

test("a client that is gone: both signals fire, the body is cancelled, and the actor may sleep", async () => {
  const { definition, made, aborted } = feed();
  await using driver = await Driver.start({ feed: definition });
  const leaving = new AbortController();
  const open = await driver.fetch("/actor/feed/request", { signal: leaving.signal });
  made[0]?.say("one");
  const reader = open.body?.getReader();
  expect(text.decode((await reader?.read())?.value)).toBe("one");
  await driver.world.pass(40_000);
  expect(driver.runtime.host.size).toBe(1);
  leaving.abort();
  await driver.world.until(() => made[0]?.cancelled === true);
  expect(aborted).toEqual(["request.client_gone"]);
  const dropped = await driver.fetch("/actor/feed/request");
  await dropped.body?.cancel();
  await driver.world.until(() => made[1]?.cancelled === true);
  await driver.world.pass(40_000);
  await driver.world.until(() => driver.runtime.host.size === 0);
});

test("an answer is made no faster than it is read, and a reader that takes nothing for a minute is given up", async () => {
  let made = 0;
  let over = false;
  const fast = actor({
    onRequest: () =>
      new Response(
        new ReadableStream(
          {
            pull: (controller) => {
              made += 1;
              controller.enqueue(new Uint8Array(limits.bodyChunkBytes));
            },
            cancel: () => {
              over = true;
            },
          },
          { highWaterMark: 0 },
        ),
      ),
    actions: {},
  });
  await using driver = await Driver.start({ fast });
  const answer = await driver.fetch("/actor/fast/request");
  await driver.world.idle();
  const ahead = made;
  expect(ahead).toBeLessThanOrEqual(limits.bodyChunks + 1);
  const reader = answer.body?.getReader();
  for (let taken = 0; taken < 64; taken += 1) await reader?.read();
  await driver.world.idle();
  expect(made).toBeLessThanOrEqual(64 + limits.bodyChunks + 1);
  await driver.world.pass(limits.streamStallMs + 1);
  await driver.world.until(() => over);
  const rest = watch(
    (async () => {
      while ((await reader?.read())?.done === false);
    })(),
  );
  await driver.world.until(() => rest.state !== "pending");
  expect([rest.state, rest.code]).toEqual(["rejected", "stream.stalled"]);
});

test("server-sent events arrive one by one, and a large chunk in pieces, as it was", async () => {
  const { definition, made } = feed();
  await using driver = await Driver.start({ feed: definition });
  const answer = await driver.fetch("/actor/feed/request");
  const reader = answer.body?.getReader();
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    made[0]?.say(event);
    expect(text.decode((await reader?.read())?.value)).toBe(event);
  }
  const large = "x".repeat(limits.bodyChunkBytes * 3 + 7);
  made[0]?.say(large);
  made[0]?.close();
  let got = "";
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) break;
    expect(value?.byteLength).toBeLessThanOrEqual(limits.bodyChunkBytes);
    got += text.decode(value);
  }
  expect(got).toBe(large);
});

test("the connect hooks run as for a call, and one that refuses is the answer", async () => {
  const story: string[] = [];
  const guarded = actor({
    createConnState: (_c, params: { name: string } | undefined) => ({ name: params?.name ?? "nobody" }),
    onBeforeConnect: (c, params) => {
      story.push(`before ${c.request?.method ?? "?"}`);
      if (params === undefined) throw new UserError("who?", { code: "who", statusCode: 401 } as never);
    },
    onConnect: (_c, conn) => void story.push(`connect ${conn.state.name}`),
    onDisconnect: (_c, conn) => void story.push(`disconnect ${conn.state.name}`),
    onRequest: (c) => {
      story.push("request");
      return new Response(c.conn.state.name);
    },
    actions: {},
  });
  await using driver = await Driver.start({ guarded });
  const refused = await driver.fetch("/actor/guarded/request", { method: "POST", body: "x" });
  expect([refused.headers.get("troupe-error"), await codeIn(refused)]).toEqual(["user.who", "user.who"]);
  expect(story.splice(0).map((line) => line.split(" ")[0])).toEqual(["before"]);
  const response = await driver.fetch("/actor/guarded/request", {
    headers: { "troupe-params": '{"name":"ann"}' },
  });
  expect(await response.text()).toBe("ann");
  await driver.world.until(() => story.length === 4);
  expect(story).toEqual(["before GET", "connect ann", "request", "disconnect ann"]);
});

test("onRequest has its time; what it does afterwards is nobody's answer", async () => {
  const late = new Latch<Response>();
  const aborted: string[] = [];
  const slow = actor({
    onRequest: (c) => {
      c.abortSignal.addEventListener("abort", () => aborted.push(codeOf(c.abortSignal.reason)));
      return late.promise;
    },
    actions: {},
    options: { onRequestTimeout: 500 },
  });
  await using driver = await Driver.start({ slow });
  const answer = watch(driver.fetch("/actor/slow/request"));
  await driver.world.idle();
  await driver.world.pass(500);
  await driver.world.until(() => answer.state !== "pending");
  expect([answer.value?.status, answer.value?.headers.get("troupe-error")]).toEqual([
    504,
    "actor.hook_timed_out",
  ]);
  expect(aborted).toEqual(["actor.hook_timed_out"]);
  const fed = new Fed();
  late.open(new Response(fed.stream));
  await driver.world.until(() => fed.cancelled);
});

test("without a time of its own onRequest has actionTimeout's", async () => {
  const slow = actor({
    onRequest: () => new Promise<Response>(() => {}),
    actions: {},
    options: { actionTimeout: 300 },
  });
  await using driver = await Driver.start({ slow });
  const answer = watch(driver.fetch("/actor/slow/request"));
  await driver.world.idle();
  await driver.world.pass(300);
  await driver.world.until(() => answer.state !== "pending");
  expect(answer.value?.headers.get("troupe-error")).toBe("actor.hook_timed_out");
});

test("a body that fails in the middle is broken off, and the log says why", async () => {
  const { definition, made } = feed();
  await using driver = await Driver.start({ feed: definition });
  const answer = await driver.fetch("/actor/feed/request");
  const reader = answer.body?.getReader();
  made[0]?.say("half");
  expect(text.decode((await reader?.read())?.value)).toBe("half");
  made[0]?.fail(new Error("secret"));
  const end = watch(reader?.read() ?? Promise.resolve({ done: true }));
  await driver.world.until(() => end.state !== "pending");
  expect([end.state, end.code]).toEqual(["rejected", "request.answer_broken"]);
  expect(driver.world.logged("error", "the body of an answer failed").length).toBe(1);
});

test("a stop waits for a request within its grace period, and cuts off what goes on; the next one wakes the actor", async () => {
  const { definition, made } = feed();
  await using driver = await Driver.start({ feed: definition });
  const answer = await driver.fetch("/actor/feed/request");
  const reader = answer.body?.getReader();
  const stopping = driver.runtime.stop();
  const end = watch(reader?.read() ?? Promise.resolve({ done: true }));
  await driver.world.idle();
  expect(end.state).toBe("pending");
  await driver.world.pass(20_000);
  await driver.world.until(() => end.state !== "pending");
  expect([end.state, end.code]).toEqual(["rejected", "actor.stopped"]);
  await stopping;
  await driver.world.until(() => made[0]?.cancelled === true);
});

test("more requests in flight than an actor may have are told to come later", async () => {
  const open = new Latch();
  const busy = actor({
    onRequest: async () => {
      await open.promise;
      return new Response("done");
    },
    actions: {},
  });
  await using driver = await Driver.start({ busy });
  const asked = Array.from({ length: limits.actorRequests }, () => driver.fetch("/actor/busy/request"));
  await driver.world.idle();
  const late = await driver.fetch("/actor/busy/request");
  expect([late.status, late.headers.get("troupe-error")]).toEqual([503, "actor.overloaded"]);
  open.open();
  expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
});

test("a declared length is kept: a body that is shorter or longer is no whole answer", async () => {
  const odd = actor({
    onRequest: (_c, request) => {
      const length = new URL(request.url).searchParams.get("length") ?? "";
      return new Response("four", { headers: { "content-length": length, connection: "x", "x-b": "2" } });
    },
    actions: {},
  });
  await using driver = await Driver.start({ odd });
  const whole = await driver.fetch("/actor/odd/request?length=4");
  expect([...whole.headers.keys()]).toEqual(["content-length", "content-type", "x-b"]);
  expect(await whole.text()).toBe("four");
  for (const length of ["3", "5"]) {
    const answer = await driver.fetch(`/actor/odd/request?length=${length}`);
    expect([answer.status, answer.headers.get("troupe-error")]).toEqual([500, "internal.error"]);
    expect(answer.headers.get("x-b")).toBeNull();
    const { error } = await answer.json();
    expect(error).toMatchObject({ group: "internal", code: "error" });
  }
  const reasons = driver.world.lines.map(({ fields }) => String(fields?.["cause"] ?? ""));
  expect(reasons.filter((reason) => reason.includes("than its content-length"))).toHaveLength(2);
  const head = await driver.fetch("/actor/odd/request?length=4", { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "4", ""]);
});

test("a body that takes its time leaves as it is made, and is broken off when it isn't as long as it was said to be", async () => {
  const more = new Latch();
  const slow = actor({
    onRequest: () => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode("four"));
          await more.promise;
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-length": "8" } });
    },
    actions: {},
  });
  await using driver = await Driver.start({ slow });
  const asked = watch(driver.fetch("/actor/slow/request"));
  await driver.world.pass(limits.declaredAnswerMs - 1);
  expect(asked.state).toBe("pending");
  await driver.world.pass(1);
  expect(asked.value?.status).toBe(200);
  const text = watch(asked.value?.text() ?? Promise.resolve(""));
  more.open();
  await driver.world.idle();
  expect([text.state, text.code]).toEqual(["rejected", "request.bad_response"]);
});

test("a page of an allowed origin asks first, and may read the answer", async () => {
  const { definition } = feed();
  await using driver = await Driver.start({ feed: definition });
  const page = { origin: "http://localhost:3000" };
  const asked = await driver.fetch("/actor/feed/request/x", {
    method: "OPTIONS",
    headers: { ...page, "access-control-request-method": "PATCH", "access-control-request-headers": "x-a" },
  });
  expect([asked.status, asked.headers.get("access-control-allow-methods")]).toEqual([204, "PATCH"]);
  expect(asked.headers.get("access-control-allow-headers")).toBe("x-a");
  const answer = await driver.fetch("/actor/feed/request/x", { headers: page });
  expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
  await answer.body?.cancel();
  const foreign = await driver.fetch("/actor/feed/request/x", { headers: { origin: "http://evil.example" } });
  expect(foreign.status).toBe(403);
});
