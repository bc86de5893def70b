/** `setup({ fetch })`: the user's own addresses beside the actors, by both doors. */
import { UserError } from "@troupe/base";
import { type AppFetch, actor, type Registry, setup } from "@troupe/runtime";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const counter = actor({ state: { count: 0 }, actions: { increment: (c) => ++c.state.count } });

interface Door extends AsyncDisposable {
  ask(path: string, init?: RequestInit): Promise<Response>;
}

type Counting = Registry<{ counter: typeof counter }>;

const memory = { dataDir: "unused", durability: "memory", signals: false, banner: false, port: 0 } as const;

/** A Response of another package's, right but for `parts`. */
function polyfilled(parts: Readonly<Record<string, unknown>>): Response {
  return Object.defineProperties(
    new Response("text"),
    Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, { value }])),
  );
}

/** The Node server on a free port. */
async function server(registry: Counting): Promise<Door> {
  const { endpoint } = await registry.start(memory);
  return {
    ask: (path, init) => fetch(endpoint + path, init),
    [Symbol.asyncDispose]: () => registry.stop(),
  };
}

/** `registry.handler`, which other servers call. */
async function handler(registry: Counting): Promise<Door> {
  await registry.start(memory);
  return {
    ask: (path, init) => registry.handler(new Request(`http://127.0.0.1${path}`, init)),
    [Symbol.asyncDispose]: () => registry.stop(),
  };
}

// Bugs of the app are logged; here they are meant.
beforeAll(() => void vi.stubEnv("TROUPE_LOG", "silent"));
afterAll(() => void vi.unstubAllEnvs());

describe.each([
  ["the Node server", server],
  ["registry.handler", handler],
])("%s", (_name, open) => {
  function door(app?: AppFetch): Promise<Door> {
    return open(setup({ use: { counter }, ...(app === undefined ? {} : { fetch: app }) }));
  }

  test("every path that isn't the gateway's own is the app's, and no other", async () => {
    const seen: string[] = [];
    await using at = await door((request) => {
      const { pathname, search } = new URL(request.url);
      seen.push(pathname + search);
      return new Response("the app");
    });
    for (const path of ["/", "/page?q=1", "/actors", "/livez/more.html", "/a//b"]) {
      const response = await at.ask(path);
      if (path.startsWith("/livez")) expect(response.status).toBe(404);
      else expect(await response.text()).toBe("the app");
    }
    expect(await (await at.ask("/livez")).text()).toBe("ok\n");
    expect((await at.ask("/metrics")).status).toBe(401);
    expect((await at.ask("/actor/counter")).status).toBe(404);
    const increment = await at.ask("/actor/counter/action/increment?key=a", { method: "POST" });
    expect(await increment.json()).toEqual({ output: 1 });
    expect(seen).toEqual(["/", "/page?q=1", "/actors", "/a//b"]);
  });

  test("method, headers and body arrive; status, headers and body leave", async () => {
    await using at = await door(async (request) => {
      const headers = new Headers({
        "x-method": request.method,
        "x-seen": request.headers.get("x-sent") ?? "",
      });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response(new Uint8Array(await request.arrayBuffer()).reverse(), { status: 201, headers });
    });
    const sent = { method: "PUT", headers: { "x-sent": "yes" }, body: new Uint8Array([1, 2, 255]) };
    const response = await at.ask("/files/a", sent);
    expect(response.status).toBe(201);
    expect(response.headers.get("x-method")).toBe("PUT");
    expect(response.headers.get("x-seen")).toBe("yes");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([255, 2, 1]));
  });

  test("a response without a body keeps its status", async () => {
    await using at = await door(() => new Response(null, { status: 304, headers: { etag: '"1"' } }));
    const response = await at.ask("/page");
    expect([response.status, response.headers.get("etag"), await response.text()]).toEqual([304, '"1"', ""]);
  });

  test.each([
    ["a bug is masked", () => Promise.reject(new Error("secret")), 500, "internal", "error"],
    ["a UserError is told", () => Promise.reject(new UserError("No", { code: "no" })), 400, "user", "no"],
    ["a bug that is thrown at once is masked too", () => JSON.parse("{"), 500, "internal", "error"],
    ["no Response is named", () => JSON.parse("{}"), 500, "gateway", "no_response"],
    ["an error Response has no status", () => Response.error(), 500, "gateway", "bad_response"],
    ["a status past 599 is none", () => polyfilled({ status: 700 }), 500, "gateway", "bad_response"],
    ["a status of 101 is none", () => polyfilled({ status: 101 }), 500, "gateway", "bad_response"],
    ["a status that is no number", () => polyfilled({ status: "200" }), 500, "gateway", "bad_response"],
    ["headers that are none", () => polyfilled({ headers: 5 }), 500, "gateway", "bad_response"],
    [
      "a header that fetch takes and HTTP doesn't",
      () => new Response("", { headers: { "x-bell": "\u0007" } }),
      500,
      "gateway",
      "bad_response",
    ],
  ])("%s", async (_what, app: AppFetch, status, group, code) => {
    await using at = await door(app);
    const response = await at.ask("/page");
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { group, code } });
    expect(text).not.toContain("secret");
    expect((await at.ask("/livez")).status).toBe(200);
  });

  test("the rules of access hold for the app", async () => {
    let asked = 0;
    await using at = await door(() => {
      asked++;
      return new Response("the app");
    });
    const response = await at.ask("/page", { headers: { origin: "https://elsewhere.example" } });
    expect([response.status, asked]).toEqual([403, 0]);
    const near = await at.ask("/page", { headers: { origin: "http://localhost:3000" } });
    expect(near.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
  });

  test("without an app there is nothing", async () => {
    await using at = await door();
    const response = await at.ask("/page");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { group: "gateway", code: "not_found" } });
  });
});

test("setup refuses what isn't a function", () => {
  const config = JSON.parse('{ "use": {}, "fetch": "page.html" }');
  expect(() => setup(config)).toThrow(expect.objectContaining({ group: "config", code: "invalid_option" }));
});
