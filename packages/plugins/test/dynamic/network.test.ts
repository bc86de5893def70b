/** The network of a dynamic actor: what its program grants, an attack on each of its bounds, and its end. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { type Pages, serveWeb } from "../../../runtime/test/egress/web.ts";
import { type DynamicActorOptions, dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const source = moduleOf(`
  state: { n: 0 },
  actions: {
    ask: async (c, url, init) => {
      const answer = await fetch(url, init);
      return [answer.status, answer.ok, await answer.text()];
    },
    tries: (c, url, init) => fetch(url, init).then(
      (answer) => answer.status,
      (error) => [error.group + "." + error.code, error.message],
    ),
    look: async (c, url, init) => {
      const answer = await fetch(new Request(url, init));
      const body = await answer.arrayBuffer();
      return [answer.url, answer.redirected, answer.headers.get("x-kind"), new Uint8Array(body)];
    },
    json: async (c, url) => (await fetch(new URLLike(url))).json(),
    stored: async (c, url) => {
      c.state.n += 1;
      return await (await fetch(url)).text();
    },
    many: async (c, url, count) => {
      const asked = await Promise.allSettled(Array.from({ length: count }, () => fetch(url)));
      return asked.map(({ reason }) => reason?.code ?? "answered");
    },
    abort: async (c, url) => {
      const controller = new AbortController();
      const asked = fetch(url, { signal: controller.signal });
      c.vars.controller = controller;
      return await asked.then(() => "answered", (error) => error.name);
    },
    give: (c) => c.vars.controller.abort(),
    leave: (c, url) => void fetch(url).catch(() => {}),
    variables: () => (typeof process === "undefined" ? "none" : process.env),
  },
  vars: {},`);

const withURL = `class URLLike { constructor(url) { this.url = url; } toString() { return this.url; } }\n${source}`;

/** A world whose actor `it` may reach a server with these pages. */
async function reaching(pages: Pages, options: Partial<DynamicActorOptions> = {}) {
  const web = await serveWeb(pages);
  const network = { allow: [{ url: web.origin, private: true }] };
  const world = await DynamicWorld.one({ source: withURL, network, ...options });
  return { web, world };
}

const notGranted = (url: string) =>
  `TroupeError: ${url} can't be reached: it is not on the allow list (\`network.allow\`)`;

test("what is granted is reached, with method, headers and bytes; without a grant nothing is, and the error names the option", async () => {
  const { web, world } = await reaching({
    "/echo": async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk);
      response.writeHead(201, { "x-kind": String(request.headers["x-kind"]) }).end(Buffer.concat(body));
    },
    "/json": (_request, response) => response.end('{"a":[1]}'),
    "/there": (_request, response) => response.writeHead(302, { location: "/json" }).end(),
    "/none": (_request, response) => response.writeHead(404).end(),
  });
  await using _world = world;
  const url = `${web.origin}/echo`;
  expect(await world.act("it", "ask", url, { method: "post", body: "hällo" })).toEqual([201, true, "hällo"]);
  const sent = { method: "PUT", body: Uint8Array.of(0, 255), headers: { "X-Kind": "bytes" } };
  expect(await world.act("it", "look", url, sent)).toEqual([url, false, "bytes", Uint8Array.of(0, 255)]);
  expect(web.asked.map(({ method }) => method)).toEqual(["POST", "PUT"]);
  expect(await world.act("it", "json", `${web.origin}/json`)).toEqual({ a: [1] });
  expect(await world.act("it", "look", `${web.origin}/there`)).toMatchObject({
    0: `${web.origin}/json`,
    1: true,
  });
  const stays = { redirect: "manual" };
  expect(await world.act("it", "ask", `${web.origin}/there`, stays)).toEqual([302, false, ""]);
  expect(await world.act("it", "ask", `${web.origin}/none`)).toEqual([404, false, ""]);
  await using bare = await DynamicWorld.one({ source: withURL });
  const asked = web.asked.length;
  expect(await bare.act("it", "tries", url)).toEqual(["network.denied", notGranted(url).slice(13)]);
  expect(await failure(bare.act("it", "ask", url))).toMatchObject({
    is: "network.denied",
    message: notGranted(url),
    metadata: { target: url },
  });
  expect(web.asked).toHaveLength(asked);
});

test("no redirect, name, address or header leads past the grant", async () => {
  const inside = await serveWeb({ "/": (_request, response) => response.end("secret") });
  const web = await serveWeb({
    "/out": (_request, response) => response.writeHead(302, { location: inside.origin }).end(),
    "/local": (_request, response) =>
      response.writeHead(302, { location: `http://localhost:${inside.port}/` }).end(),
    "/metadata": (_request, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/latest/" }).end(),
    "/file": (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  });
  const allow = [
    { url: web.origin, private: true },
    // A name that leads into this machine, and wasn't said to.
    `http://localhost:${inside.port}`,
    { url: "http://169.254.169.254", private: true },
  ];
  await using world = await DynamicWorld.one({ source: withURL, network: { allow } });
  const tried = async (url: string, init?: object) => String(await world.act("it", "tries", url, init));
  expect(await tried(`${web.origin}/out`)).toContain(`${inside.origin}/ can't be reached: it is not on the`);
  expect(await tried(`${web.origin}/local`)).toContain("its address is a private one");
  expect(await tried(`http://localhost:${inside.port}/`)).toContain("its address is a private one");
  expect(await tried(`${web.origin}/metadata`)).toContain("its address is for nobody");
  expect(await tried(`${web.origin}/file`)).toContain("file:///etc/passwd can't be reached");
  expect(await tried(`http://user:pass@127.0.0.1:${web.port}/`)).toContain("it has a user in it");
  const host = { headers: { host: `127.0.0.1:${inside.port}`, connection: "upgrade" } };
  expect(await tried(`${web.origin}/none`, host)).toBe("404");
  expect(web.asked.at(-1)?.headers.host).toBe(`127.0.0.1:${web.port}`);
  expect(inside.asked).toEqual([]);
});

test("bodies are bounded both ways, and so are the requests that wait", async () => {
  const long = limits.isolateFetchBytes + 1;
  const held: (() => void)[] = [];
  const all = Promise.withResolvers<void>();
  const { web, world } = await reaching({
    "/long": (_request, response) => response.end(Buffer.alloc(long)),
    "/most": (_request, response) => response.end(Buffer.alloc(long - 1, "a")),
    "/held": (_request, response) => {
      if (held.push(() => response.end()) === limits.isolateFetches) all.resolve();
    },
  });
  await using _world = world;
  expect(await world.act("it", "tries", `${web.origin}/long`)).toMatchObject({
    0: "network.response_too_large",
  });
  expect(await world.act("it", "look", `${web.origin}/most`)).toMatchObject({ 3: { length: long - 1 } });
  const posted = { method: "POST", body: new Uint8Array(long) };
  const refused = await world.act("it", "tries", `${web.origin}/most`, posted);
  expect(refused).toMatchObject({ 1: expect.stringContaining(`at most ${long - 1} bytes`) });
  const many = world.act("it", "many", `${web.origin}/held`, limits.isolateFetches + 2);
  await all.promise;
  for (const answer of held) answer();
  const codes = await many;
  expect(codes).toEqual([
    ...Array(limits.isolateFetches).fill("answered"),
    "too_many_fetches",
    "too_many_fetches",
  ]);
  expect(limits.isolateFetches).toBe(16);
  expect(limits.isolateFetchBytes).toBe(4 * 1024 * 1024);
});

test("a credential is in the request and never in the isolate", async () => {
  const web = await serveWeb({
    "/echo": (request, response) => response.end(request.headers.authorization),
  });
  const network = {
    allow: [{ url: web.origin, private: true }],
    credentials: { API_KEY: { value: "s3cret", hosts: ["127.0.0.1"] } },
  };
  const used = withURL.replace(`"none" : process.env`, `"none" : [process.env.API_KEY, process.env.A]`);
  await using world = await DynamicWorld.one({ source: used, network, env: { A: "b" } });
  const variables = await world.act("it", "variables");
  expect(variables).toEqual([expect.stringMatching(/^troupe-credential-[0-9a-f]{24}$/), "b"]);
  const placeholder = Object(variables)[0];
  const init = { headers: { authorization: `Bearer ${placeholder}` } };
  expect(await world.act("it", "ask", `${web.origin}/echo`, init)).toEqual([
    200,
    true,
    `Bearer ${placeholder}`,
  ]);
  expect(web.asked[0]?.headers.authorization).toBe("Bearer s3cret");
});

/** A server that answers nobody, and says when it is asked and when who asked has gone. */
async function silent() {
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { origin } = await serveWeb({
    "/": (request) => {
      asked.resolve();
      request.socket.on("close", () => gone.resolve());
    },
  });
  return { origin, asked: asked.promise, gone: gone.promise };
}

test("a request ends with its signal, and with the activation: a reload takes new code, and grants it no more", async () => {
  const first = await silent();
  const second = await silent();
  const network = { allow: [first, second].map(({ origin }) => ({ url: origin, private: true })) };
  let loaded: object = { source: withURL };
  const load = () => loaded as { source: string };
  await using world = await DynamicWorld.start({ it: dynamicActor({ load, network }) });
  const waiting = world.act("it", "abort", first.origin);
  await first.asked;
  await world.act("it", "give");
  expect(await waiting).toBe("AbortError");
  await first.gone;
  await world.act("it", "leave", second.origin);
  await second.asked;
  loaded = { source: withURL.replace("(answer) => answer.status", "(answer) => 'new'") };
  await world.reload("it");
  await second.gone;
  expect(await world.act("it", "tries", "http://127.0.0.1:1/")).toMatchObject({ 0: "network.denied" });
  loaded = { source: withURL, network: { allow: ["*"] } };
  await world.reload("it");
  expect(await failure(world.act("it", "give"))).toMatchObject({ is: "dynamic.bad_option" });
});

test("a request leaves when what was written before it is stored, and none leaves before the actor runs", async () => {
  const { web, world } = await reaching({ "/": (_request, response) => response.end("ok") });
  await using _world = world;
  expect(await world.act("it", "stored", web.origin)).toBe("ok");
  const unstored = `import { actor } from "troupe"; import { db } from "troupe/db";
    export default actor({ db: db(), actions: {
      inside: (c, url) => c.db.transaction(() => fetch(url), { timeout: 200 }).then(() => "left", (error) => error.group),
    } });`;
  const allow = [{ url: web.origin, private: true }];
  await using database = await DynamicWorld.one({
    source: unstored,
    needs: ["database"],
    network: { allow },
  });
  expect(await database.act("it", "inside", web.origin)).toBe("sql");
  const early = `await fetch(${JSON.stringify(web.origin)});\n${source}`;
  await using other = await DynamicWorld.one({ source: early });
  expect(await failure(other.act("it", "variables"))).toMatchObject({
    is: "dynamic.load_failed",
    message: expect.stringContaining("The actor hasn't started"),
  });
  expect(web.asked).toHaveLength(1);
});

test("a network that is none is refused where it is given", () => {
  const wrong: readonly unknown[] = [
    { network: "*" },
    { network: { allows: [] } },
    { network: { allow: "*" } },
    { network: { allow: ["example.com"] } },
    { network: { credentials: { KEY: { value: "" } } } },
    { network: { credentials: { KEY: { value: "a", hosts: [] } } }, env: { KEY: "b" } },
  ];
  for (const grants of wrong)
    expect(() => Reflect.apply(dynamicActor, undefined, [{ source: "", ...Object(grants) }])).toThrow(
      /network|KEY/,
    );
});
