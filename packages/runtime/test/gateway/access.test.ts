/** Who may come in: Host, Origin, token, CORS, and which addresses may be bound at all. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import {
  Access,
  type AccessConfig,
  type AccessRequest,
  checkBind,
  checkServer,
} from "../../src/gateway/access.ts";
import { checkAccess } from "../../src/gateway/access-lists.ts";
import { handleFetch } from "../../src/gateway/fetch-handler.ts";
import { nodeEnv } from "../../src/node/env.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf } from "../driver/watch.ts";

const outcome = (run: () => void): string => {
  try {
    run();
    return "ok";
  } catch (error) {
    return codeOf(error);
  }
};

function check(config: AccessConfig, request: Partial<AccessRequest>): string {
  const access = new Access(config, nodeEnv().crypto);
  const full = {
    host: "127.0.0.1:6420",
    origin: undefined,
    authorization: undefined,
    subprotocols: undefined,
    ...request,
  };
  return outcome(() => access.check(full));
}

const HOST = "gateway.host_not_allowed";
const ORIGIN = "gateway.origin_not_allowed";

/** On a loopback address without a word of configuration. */
const loopback: readonly (readonly [Partial<AccessRequest>, string])[] = [
  [{}, "ok"],
  [{ host: "localhost" }, "ok"],
  [{ host: "LOCALHOST:1" }, "ok"],
  [{ host: "[::1]:6420" }, "ok"],
  [{ host: "[::1]" }, "ok"],
  [{ host: undefined }, HOST],
  [{ host: "" }, HOST],
  [{ host: ":6420" }, HOST],
  [{ host: "evil.example" }, HOST],
  [{ host: "127.0.0.1.evil.example" }, HOST],
  [{ host: "127.evil.example" }, HOST],
  [{ host: "localhost.evil.example:6420" }, HOST],
  [{ host: "localhost." }, HOST],
  [{ host: "127.1" }, HOST],
  [{ host: "0.0.0.0" }, HOST],
  [{ host: "[::]" }, HOST],
  [{ host: "[::ffff:127.0.0.1]" }, HOST],
  [{ host: "[::1" }, HOST],
  [{ host: "127.0.0.1@evil.example" }, HOST],
  // The name was rebound: Host and Origin agree, and prove nothing.
  [{ host: "rebound.example:6420", origin: "http://rebound.example:6420" }, HOST],
  [{ origin: "http://localhost:3000" }, "ok"],
  [{ origin: "http://127.0.0.1" }, "ok"],
  [{ origin: "https://[::1]:8443" }, "ok"],
  [{ origin: "null" }, ORIGIN],
  [{ origin: "" }, ORIGIN],
  [{ origin: "http://evil.example" }, ORIGIN],
  [{ origin: "http://127.0.0.1.evil.example" }, ORIGIN],
  [{ origin: "http://127.evil.example" }, ORIGIN],
  [{ origin: "http://localhost.evil.example" }, ORIGIN],
  [{ origin: "http://localhost@evil.example" }, ORIGIN],
  [{ origin: "file://" }, ORIGIN],
  [{ origin: "chrome-extension://abcdef" }, ORIGIN],
  [{ origin: "localhost" }, ORIGIN],
  [{ origin: "*" }, ORIGIN],
];

for (const [request, expected] of loopback) {
  test(`loopback: ${JSON.stringify(request)} is ${expected}`, () =>
    expect(check({}, request)).toBe(expected));
}

test("lists of hosts and origins are exact", () => {
  const config: AccessConfig = { allowedHosts: ["App.example"], allowedOrigins: ["https://app.example"] };
  expect(check(config, { host: "app.example:443" })).toBe("ok");
  expect(check(config, { host: "127.0.0.1" })).toBe(HOST);
  expect(check(config, { host: "sub.app.example" })).toBe(HOST);
  for (const origin of [
    "http://app.example",
    "https://app.example.evil.example",
    "https://app.example:444",
    "null",
  ]) {
    expect(check(config, { host: "app.example", origin })).toBe(ORIGIN);
  }
  expect(check(config, { host: "app.example", origin: "https://app.example" })).toBe("ok");
  expect(
    check({ ...config, allowedOrigins: ["*"] }, { host: "app.example", origin: "http://any.example" }),
  ).toBe("ok");
});

test("the token: as a header, as a subprotocol, and nothing near it; a preflight shows none", () => {
  const config: AccessConfig = { auth: "token", token: "s3cret-ü" };
  const subprotocol = (token: string) => `troupe, troupe.token.${Buffer.from(token).toString("base64url")}`;
  expect(check(config, { authorization: "Bearer s3cret-ü" })).toBe("ok");
  expect(check(config, { subprotocols: subprotocol("s3cret-ü") })).toBe("ok");
  for (const request of [
    {},
    { authorization: "s3cret-ü" },
    { authorization: "Bearer s3cret" },
    { authorization: "Bearer s3cret-ü " },
    { authorization: "Bearer " },
    { authorization: "Basic s3cret-ü" },
    { subprotocols: subprotocol("wrong") },
    { subprotocols: "troupe, troupe.token.%%%" },
    { subprotocols: "troupe" },
  ]) {
    expect([request, check(config, request)]).toEqual([request, "gateway.unauthorized"]);
  }
  expect(check(config, { preflight: true, origin: "http://localhost:3000" })).toBe("ok");
  expect(check(config, { preflight: true, origin: "http://evil.example" })).toBe(ORIGIN);
});

const full: AccessConfig = { allowedHosts: ["a.example"], allowedOrigins: ["https://a.example"] };
const binds: readonly (readonly [string, AccessConfig, string])[] = [
  ["127.0.0.1", {}, "ok"],
  ["::1", {}, "ok"],
  ["localhost", {}, "ok"],
  ["0.0.0.0", {}, "config.unsafe_bind"],
  ["::", {}, "config.unsafe_bind"],
  ["", {}, "config.unsafe_bind"],
  ["192.168.1.5", full, "config.unsafe_bind"],
  ["0.0.0.0", { ...full, auth: "token", token: "t" }, "ok"],
  ["0.0.0.0", { ...full, auth: "application" }, "ok"],
  ["0.0.0.0", { auth: "application", allowedHosts: ["a"] }, "config.unsafe_bind"],
  ["0.0.0.0", { auth: "token", token: "t" }, "config.unsafe_bind"],
];

for (const [host, config, expected] of binds) {
  test(`binding "${host}" with ${JSON.stringify(config)} is ${expected}`, () => {
    expect(outcome(() => checkBind(host, config))).toBe(expected);
  });
}

test("handler(Request): admitted, answered, with CORS for the origins that may call and no others", async () => {
  const echo = actor({
    actions: { args: (_c, ...args: unknown[]) => args, url: (c) => c.request?.headers.get("x-mine") ?? null },
  });
  await using driver = await Driver.start({ echo });
  const ask = async (path: string, init: RequestInit = {}, host = "http://127.0.0.1") => {
    const response = await handleFetch(driver.runtime.gateway, new Request(host + path, init));
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const post = { method: "POST", body: '{"args":[1]}' };
  const plain = await ask("/actor/echo/action/args", post);
  expect([plain.status, plain.text]).toEqual([200, '{"output":[1]}']);
  expect(plain.headers.get("access-control-allow-origin")).toBeNull();
  const cors = await ask("/actor/echo/action/args", {
    ...post,
    headers: { origin: "http://localhost:3000" },
  });
  expect(cors.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
  expect(cors.headers.get("vary")).toBe("Origin");
  const evil = await ask("/actor/echo/action/args", { ...post, headers: { origin: "http://evil.example" } });
  expect([evil.status, evil.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  expect((await ask("/actor/echo/action/args", post, "http://evil.example")).status).toBe(403);
  const preflight = await ask("/actor/echo/action/args", {
    method: "OPTIONS",
    headers: { origin: "http://localhost:3000" },
  });
  expect([preflight.status, preflight.text, preflight.headers.get("access-control-allow-origin")]).toEqual([
    204,
    "",
    "http://localhost:3000",
  ]);
  expect((await ask("/livez")).text).toBe("ok\n");
  expect((await ask("/actor/echo/action/url", { ...post, headers: { "x-mine": "yes" } })).text).toBe(
    '{"output":"yes"}',
  );
  const large = await ask("/actor/echo/action/args", {
    method: "POST",
    body: new Uint8Array(21 * 1024 * 1024),
  });
  expect([large.status, JSON.parse(large.text).error.code]).toEqual([413, "body_too_large"]);
});

test("handler(Request): a body that breaks off, or was read, is the caller's error and no line in the log", async () => {
  const echo = actor({
    onRequest: async (_c, request) => new Response(await request.text()),
    actions: { args: (_c, ...args: unknown[]) => args },
  });
  await using driver = await Driver.start({ echo });
  const broken = (): ReadableStream<Uint8Array> =>
    new ReadableStream({ pull: (controller) => controller.error(new Error("the line went dead")) });
  const request = (path: string, body: BodyInit): Request =>
    new Request(`http://127.0.0.1${path}`, { method: "POST", body, ...{ duplex: "half" } });
  const codes: unknown[] = [];
  for (const path of ["/actor/echo/action/args", "/actor/echo/request/"]) {
    const read = request(path, "{}");
    await read.text();
    const locked = request(path, "{}");
    locked.body?.getReader();
    for (const asked of [request(path, broken()), read, locked]) {
      const response = await handleFetch(driver.runtime.gateway, asked);
      const { error } = JSON.parse(await response.text());
      codes.push([response.status, `${error.group}.${error.code}`]);
    }
  }
  const unread = [400, "gateway.bad_request"];
  expect(codes).toEqual(
    Array(2)
      .fill([[400, "request.body_broken"], unread, unread])
      .flat(),
  );
  expect(driver.world.logged("error", "")).toEqual([]);
});

test("whoever watches the process needs neither a loopback name nor a token", () => {
  const access = new Access({ auth: "token", token: "secret" }, nodeEnv().crypto);
  const probe = {
    host: "10.0.0.7:6420",
    origin: undefined,
    authorization: undefined,
    subprotocols: undefined,
  };
  access.check({ ...probe, probe: true });
  expect(() => access.check(probe)).toThrow("Host 10.0.0.7 is not allowed");
});

test("a server of the program's own serves without auth what came in at a loopback address, and nothing else", () => {
  const safe = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.2"];
  const unsafe = [
    "192.0.2.2",
    "::ffff:192.0.2.2",
    "fe80::1",
    "fd00::2",
    "::",
    "0.0.0.0",
    "127.evil",
    "::1:127.0.0.1",
    "",
  ];
  expect(safe.map((address) => outcome(() => checkServer(address)))).toEqual(safe.map(() => "ok"));
  expect(unsafe.map((address) => outcome(() => checkServer(address)))).toEqual(
    unsafe.map(() => "config.unsafe_bind"),
  );
});

const written: readonly (readonly [string, string])[] = [
  ["https://chat.example/", "https://chat.example"],
  ["https://Chat.example", "https://chat.example"],
  ["https://chat.example:443", "https://chat.example"],
  ["http://chat.example:80/", "http://chat.example"],
  ["http://chat.example:8080", "http://chat.example:8080"],
  ["capacitor://localhost", "capacitor://localhost"],
  ["null", "null"],
  ["*", "https://any.example"],
];

for (const [listed, sent] of written) {
  test(`the origin ${listed} lets ${sent} in`, () => {
    const config: AccessConfig = { allowedOrigins: [listed] };
    checkAccess(config);
    expect(check(config, { origin: sent })).toBe("ok");
  });
}

const neverSent: readonly AccessConfig[] = [
  ...["chat.example", "https://a/b", "https://a?x", "https://*.example", "https://u@a", "", "https://"].map(
    (origin) => ({ allowedOrigins: [origin] }),
  ),
  ...["a:80", "https://a", "*", "", "::1", "a/"].map((host) => ({ allowedHosts: [host] })),
  ...["p\u00e4", "a\nb", "", " a"].map((token) => ({ token })),
  { auth: "token" },
];

for (const config of neverSent) {
  test(`what could never match is refused: ${JSON.stringify(config)}`, () =>
    expect(outcome(() => checkAccess(config))).toBe("config.invalid_option"));
}
