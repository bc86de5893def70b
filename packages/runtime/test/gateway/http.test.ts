/** The gateway's HTTP door: which addresses there are, what a request may say, and what an error tells. */
import { UserError } from "@troupe/base";
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { parseRoute, type Route } from "../../src/gateway/route.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, rejection } from "../driver/watch.ts";

const echo = actor({
  state: { n: 0 },
  actions: {
    args: (_c, ...args: unknown[]) => args,
    key: (c) => c.key,
    fail: () => {
      throw new Error("a secret of the house");
    },
    user: () => {
      throw new UserError("told", { code: "told", metadata: { n: 1 } });
    },
    bytes: () => new Uint8Array([1, 2, 3]),
    url: (c) => c.request?.url,
  },
});

const routes: readonly (readonly [string, Partial<Route> | string])[] = [
  [
    "/actor/echo/action/args",
    { kind: "action", action: "args", actor: { kind: "key", name: "echo", key: [], method: "getOrCreate" } },
  ],
  [
    "/actor/echo/action/args?key=a,b&method=get",
    {
      kind: "action",
      actor: { kind: "key", name: "echo", key: ["a", "b"], method: "get" },
    } as Partial<Route>,
  ],
  ["/actor/echo/action/a%2Eb", { kind: "action", action: "a.b" }],
  ["/actor/echo/action/a%2Fb", { kind: "action", action: "a/b" }],
  [
    "/actor/echo/resolve?key=a%2Cb",
    { kind: "resolve", actor: { kind: "key", name: "echo", key: ["a,b"], method: "getOrCreate" } },
  ],
  [
    "/actor/echo/resolve?key=~",
    { kind: "resolve", actor: { kind: "key", name: "echo", key: [""], method: "getOrCreate" } },
  ],
  [
    "/actor/echo/create?key=a",
    { kind: "create", actor: { kind: "key", name: "echo", key: ["a"], method: "create" } },
  ],
  ["/actor/echo/connect", { kind: "connect" }],
  ["/actor-id/abc/action/args", { kind: "action", actor: { kind: "id", id: "abc" } } as Partial<Route>],
  ["/livez", { kind: "livez" }],
  ["/readyz?x=1", { kind: "readyz" }],
  ["/metrics", { kind: "metrics" }],
  ["/", { kind: "app" }],
  ["", "gateway.not_found"],
  ["/actor", "gateway.not_found"],
  ["/actorfoo/echo/action/args", { kind: "app" }],
  ["/actor-idx/abc/action/args", { kind: "app" }],
  ["/xactor/echo/action/args", { kind: "app" }],
  ["/Actor/echo/action/args", { kind: "app" }],
  ["//actor/echo/action/args", "gateway.not_found"],
  ["/actor/echo", "gateway.not_found"],
  ["/actor/echo/", "gateway.not_found"],
  ["/actor/echo/action", "gateway.not_found"],
  ["/actor/echo/action/", "gateway.not_found"],
  ["/actor/echo/action/args/more", "gateway.not_found"],
  ["/actor/echo/resolve/more", "gateway.not_found"],
  ["/actor/echo/actionargs", "gateway.not_found"],
  ["/actor//action/args", "gateway.not_found"],
  ["/actor/../echo/action/args", "gateway.not_found"],
  ["/actor-id/abc/create", "gateway.not_found"],
  ["/livez/more", "gateway.not_found"],
  ["http://evil.example/actor/echo/action/args", "gateway.not_found"],
  ["/actor/echo/action/args?keys=a", "gateway.bad_request"],
  ["/actor/echo/action/args?key=a&key=b", "gateway.bad_request"],
  ["/actor/echo/action/args?method=steal", "gateway.bad_request"],
  ["/actor/echo/action/args?method=get&method=get", "gateway.bad_request"],
  ["/actor/echo/action/%zz", "gateway.bad_request"],
  ["/actor/echo/action/args?key=%zz", "key.malformed"],
  [`/actor/${"n".repeat(65)}/resolve`, "name.malformed"],
  [`/actor/echo/resolve?key=${"k".repeat(200)}`, "key.component_too_long"],
];

for (const [url, expected] of routes) {
  test(`S3.9 (in part): ${url.slice(0, 60) || "(empty)"} is ${typeof expected === "string" ? expected : expected.kind}`, () => {
    const read = () => parseRoute(url);
    if (typeof expected === "string") {
      try {
        expect(read()).toBe("refused");
      } catch (error) {
        expect(codeOf(error)).toBe(expected);
      }
    } else expect(read()).toMatchObject(expected);
  });
}

test("addresses outside of the actors' own are nobody's when the program has no fetch of its own", async () => {
  await using driver = await Driver.start({ echo });
  for (const url of ["/", "/actorfoo/echo/action/args", "/Actor/echo/action/args", "/favicon.ico"]) {
    expect(await driver.http("POST", url)).toMatchObject({ status: 404, code: "gateway.not_found" });
  }
  expect(driver.runtime.host.size).toBe(0);
});

test("methods: POST for actions, an upgrade for connect, OPTIONS for anything", async () => {
  await using driver = await Driver.start({ echo });
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
    expect(await driver.http(method, "/actor/echo/action/args")).toMatchObject({
      status: 405,
      code: "gateway.method_not_allowed",
    });
  }
  expect(await driver.http("GET", "/actor/echo/connect")).toMatchObject({
    status: 426,
    code: "gateway.upgrade_required",
  });
  const preflight = await driver.http("OPTIONS", "/actor/echo/action/args");
  expect(preflight).toMatchObject({
    status: 204,
    headers: { "access-control-allow-methods": "GET, POST, OPTIONS" },
  });
  expect(preflight.headers["access-control-allow-headers"]).toContain("troupe-protocol");
  expect(driver.runtime.host.size).toBe(0);
});

test("content types: JSON in its many clothes, CBOR, and no other; the answer has the request's", async () => {
  await using driver = await Driver.start({ echo });
  const url = "/actor/echo/action/args";
  for (const type of [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "text/plain",
    "application/x-www-form-urlencoded",
  ]) {
    expect((await driver.http("POST", url, { args: [1] }, { "content-type": type })).output).toEqual([1]);
  }
  for (const type of ["application/xml", "multipart/form-data", "application/jsonx", "image/png"]) {
    expect(await driver.http("POST", url, { args: [1] }, { "content-type": type })).toMatchObject({
      status: 415,
      code: "gateway.unsupported_media_type",
    });
  }
  const response = await driver.raw("POST", "/actor/echo/action/bytes", encodeCbor({ args: [] }), {
    "content-type": "application/cbor",
  });
  expect(response.headers["content-type"]).toBe("application/cbor");
  expect(decodeCbor(response.body as Uint8Array)).toEqual({ output: new Uint8Array([1, 2, 3]) });
  const failure = await driver.raw("POST", "/actor/echo/action/no", encodeCbor({}), {
    "content-type": "application/cbor",
  });
  expect(decodeCbor(failure.body as Uint8Array)).toMatchObject({
    error: { group: "actor", code: "action_not_found" },
  });
});

test("bodies: none at all is fine, anything else must be what the protocol says", async () => {
  await using driver = await Driver.start({ echo });
  const url = "/actor/echo/action/args";
  expect((await driver.http("POST", url)).output).toEqual([]);
  for (const [body, code] of [
    ["not json", "protocol.malformed_frame"],
    ["[]", "protocol.malformed_frame"],
    ['{"args":1}', "protocol.malformed_frame"],
    ['{"args":[{"__proto__":{"x":1}}]}', "value.forbidden_key"],
    [Buffer.from([0xff, 0xfe]), "protocol.malformed_frame"],
  ] as const) {
    expect(await driver.http("POST", url, Buffer.from(body))).toMatchObject({ status: 400, code });
  }
});

test("a body that is packed, or text in another charset, isn't read as something that it is not", async () => {
  await using driver = await Driver.start({ echo });
  const body = { args: ["é"] };
  const ask = (headers: Readonly<Record<string, string>>) =>
    driver.http("POST", "/actor/echo/action/args", body, headers);
  for (const coding of ["gzip", "br", "identity, GZIP", "x-unknown"]) {
    expect(await ask({ "content-encoding": coding })).toMatchObject({
      status: 415,
      code: "gateway.unsupported_content_encoding",
      error: { metadata: { accepted: ["identity"] } },
    });
  }
  for (const charset of ["iso-8859-1", '"UTF-16"', "latin1 "]) {
    expect(await ask({ "content-type": `application/json; charset=${charset}` })).toMatchObject({
      status: 415,
      code: "gateway.unsupported_charset",
      error: { metadata: { accepted: ["utf-8"] } },
    });
  }
  for (const headers of [
    { "content-encoding": "identity" },
    { "content-encoding": "" },
    { "content-type": 'application/json; charset="UTF-8"' },
    { "content-type": "text/plain;charset=utf8" },
    { "content-type": "application/json; charset=US-ASCII; profile=x" },
  ]) {
    expect((await ask(headers)).output).toEqual(["é"]);
  }
});

test("versions: ours, none, and others", async () => {
  await using driver = await Driver.start({ echo });
  const ask = (version: string) =>
    driver.http("POST", "/actor/echo/action/args", undefined, { "troupe-protocol": version });
  expect((await ask("1")).status).toBe(200);
  for (const version of ["0", "2", "x", "", "1,2"]) {
    expect(await ask(version)).toMatchObject({
      status: 400,
      code: "protocol.version_unsupported",
      error: { metadata: { supported: [1] } },
    });
  }
});

test("errors: a UserError as it is, anything else masked and in the log", async () => {
  await using driver = await Driver.start({ echo });
  expect(await driver.act("echo", "user")).toMatchObject({
    status: 400,
    code: "user.told",
    error: { message: "told", metadata: { n: 1 } },
  });
  expect(driver.world.logged("error", "a call failed")).toHaveLength(0);
  const masked = await driver.act("echo", "fail");
  expect(masked).toMatchObject({ status: 500, code: "internal.error", error: { message: "Internal error" } });
  expect(masked.text).not.toContain("secret");
  const [line] = driver.world.logged("error", "a call failed");
  expect(String(line?.fields.cause)).toContain("secret");
});

test("metadata of a UserError that can't be sent is left out, and the log says whose it was", async () => {
  const odd = actor({
    actions: {
      fail: (_c, metadata: "none" | "plain" | "function" | "large") => {
        const given = {
          none: undefined,
          plain: { n: 1 },
          function: { f: () => 1 },
          large: { s: "x".repeat(100_000) },
        };
        const chosen = given[metadata];
        throw new UserError(
          "told",
          chosen === undefined ? { code: "odd" } : { code: "odd", metadata: chosen },
        );
      },
    },
  });
  await using driver = await Driver.start({ odd });
  for (const metadata of ["none", "plain", "function", "large"]) {
    const { code, error } = await driver.act("odd", "fail", metadata);
    expect([code, error?.metadata]).toEqual(["user.odd", metadata === "plain" ? { n: 1 } : undefined]);
  }
  driver.socket("/actor/odd/connect").hello().action(1, "fail", "function");
  await driver.world.idle();
  const lines = driver.world.logged("warn", "metadata of an error").map(({ fields }) => fields);
  const { actorId } = lines[0] ?? {};
  const line = { actor: "odd", key: [], actorId, action: "fail", error: "user.odd" };
  expect(lines).toEqual([line, line, line]);
});

test("a result that throws when it is read has one code, whichever door it leaves by", async () => {
  const boom = () => {
    throw new Error("trap");
  };
  const tricky = actor({
    actions: {
      give: (_c, ...traps: string[]) => new Proxy({}, Object.fromEntries(traps.map((trap) => [trap, boom]))),
    },
  });
  await using driver = await Driver.start({ tricky });
  const codes = new Set<string>();
  for (const encoding of ["json", "cbor"] as const) {
    const handle = driver.client({ encoding }).tricky.getOrCreate();
    const connection = handle.connect();
    const local = driver.local().tricky.getOrCreate();
    for (const traps of [["get"], ["ownKeys"], ["getPrototypeOf"], ["get", "ownKeys", "getPrototypeOf"]])
      for (const door of [handle, connection, local]) codes.add(await rejection(door.give(...traps)));
  }
  expect([...codes]).toEqual(["value.unsupported_type"]);
});

test("the log's line of a failed call names actor, id and action, whichever door it came by", async () => {
  const closed = actor({
    onBeforeConnect: () => {
      throw new Error("no entry");
    },
    actions: { say: () => 1 },
  });
  const broken = actor({
    createState: () => {
      throw new Error("no state");
    },
    actions: { say: () => 1 },
  });
  await using driver = await Driver.start({ echo, closed, broken });
  const { actorId } = JSON.parse((await driver.http("POST", "/actor/echo/resolve")).text);
  await driver.act("echo", "fail");
  driver.socket("/actor/echo/connect").hello().action(1, "fail");
  await driver.world.idle();
  const unstarted = await driver.act("broken?key=b", "say");
  driver.socket("/actor/closed/connect").hello();
  await driver.world.idle();
  const lines = driver.world.logged("error", "a call failed").map(({ fields }) => {
    const { cause, id, ...named } = fields;
    return named;
  });
  expect(lines).toEqual([
    { actor: "echo", key: [], actorId, action: "fail" },
    { actor: "echo", key: [], actorId, action: "fail" },
    { actor: "closed", key: [], connection: "refused" },
  ]);
  const [start, ...more] = driver.world.logged("error", "an actor failed to start");
  expect([start?.fields, more]).toMatchObject([
    { actor: "broken", key: ["b"], ...Object(unstarted.error?.metadata) },
    [],
  ]);
  expect(unstarted.error?.metadata).toEqual({ id: expect.any(String) });
});

test("names that objects have by nature are neither actors nor actions", async () => {
  await using driver = await Driver.start({ echo });
  for (const name of ["__proto__", "constructor", "hasOwnProperty", "toString", "then"]) {
    expect((await driver.act(name, "args")).code).toBe("actor.not_registered");
  }
  for (const name of [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "valueOf",
    "prototype",
    "then",
  ]) {
    expect((await driver.act("echo", name)).code).toBe("actor.action_not_found");
  }
  await using client = driver.client();
  const handle = client.echo.getOrCreate();
  // `await` on a handle must not call the action.
  expect(await Promise.resolve<unknown>(handle)).toBe(handle);
});

test("a name and a key that together read like another address are not that address", async () => {
  await using driver = await Driver.start({ echo });
  const key = encodeURIComponent("b\n[]");
  expect((await driver.http("POST", `/actor/echo/action/key?key=${key}`)).output).toEqual(["b\n[]"]);
  const name = encodeURIComponent("echo\n1\nb");
  expect((await driver.http("POST", `/actor/${name}/action/key`)).code).toBe("actor.not_registered");
});

test("S2.2 (in part): the same missing actor is the same error by action, resolve, socket and c.client()", async () => {
  const asker = actor({
    actions: {
      ask: async (c) => {
        const other = c
          .client<{ readonly "~types"?: { readonly use: { readonly echo: typeof echo } } }>()
          .echo.get(["missing"]);
        const conn = other.connect();
        const codes = [
          await rejection(other.args()),
          await rejection(other.resolve()),
          await rejection(conn.ready),
        ];
        await conn.dispose();
        return codes;
      },
    },
  });
  await using driver = await Driver.start({ echo, asker });
  const socket = driver.socket("/actor/echo/connect?key=missing&method=get").hello();
  await driver.world.idle();
  const codes = [
    (await driver.http("POST", "/actor/echo/action/args?key=missing&method=get")).code,
    (await driver.http("POST", "/actor/echo/resolve?key=missing&method=get")).code,
    (await driver.http("POST", "/actor-id/missing/action/args")).code,
    (await driver.http("POST", "/actor-id/missing/resolve")).code,
    socket.story.join().replace("refusal ", ""),
    ...((await driver.act("asker", "ask")).output as string[]),
  ];
  expect(codes).toEqual(Array(8).fill("actor.not_found"));
  const unregistered = driver.socket("/actor/nobody/connect").hello();
  await driver.world.idle();
  expect([(await driver.act("nobody", "x")).code, unregistered.story]).toEqual([
    "actor.not_registered",
    ["refusal actor.not_registered"],
  ]);
});

test("health and metrics", async () => {
  await using driver = await Driver.start({ echo }, { access: { token: "t0ken" } });
  await driver.act("echo", "key");
  expect((await driver.http("GET", "/livez")).text).toBe("ok\n");
  expect((await driver.http("GET", "/readyz")).status).toBe(200);
  expect(await driver.http("GET", "/metrics")).toMatchObject({ status: 401, code: "gateway.unauthorized" });
  expect((await driver.http("GET", "/metrics", undefined, { authorization: "Bearer wrong" })).status).toBe(
    401,
  );
  const { text } = await driver.http("GET", "/metrics", undefined, { authorization: "Bearer t0ken" });
  expect(text).toContain("troupe_actors_awake 1");
  expect(text).toContain("troupe_http_actions_total 1");
});

test("the real client: keys, errors, and values of every kind, in both encodings", async () => {
  await using driver = await Driver.start({ echo });
  for (const encoding of ["json", "cbor"] as const) {
    await using client = driver.client({ encoding });
    const key = ["a,b", "", "~", "ü/?&=%", "😀"];
    expect(await client.echo.getOrCreate(key).key()).toEqual(key);
    const values = [
      1n << 70n,
      new Date(5),
      new Map([[1, new Set(["x"])]]),
      new Uint8Array([1]),
      -0,
      Number.NaN,
      null,
    ];
    expect(await client.echo.getOrCreate(key).args(...values)).toEqual(values);
    await expect(client.echo.getOrCreate(key).user()).rejects.toMatchObject({
      name: "UserError",
      code: "told",
      metadata: { n: 1 },
    });
    expect(await rejection(client.echo.getOrCreate(key).fail())).toBe("internal.error");
  }
});
