/** Who may look: the inspector has a token of its own, over both doors, and is nowhere where it is off. */
import { connect } from "node:net";
import { actor, type InspectorConfig, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { codeOf } from "../driver/watch.ts";

const use = { counter: actor({ state: { count: 0 }, actions: { increment: (c) => ++c.state.count } }) };
const memory = { dataDir: "unused", durability: "memory", signals: false, banner: false, port: 0 } as const;
const inspector = { token: "for people" };
const authorization = "Bearer for people";

async function serve(config: Omit<Parameters<typeof setup<typeof use>>[0], "use">) {
  const registry = setup({ use, ...config });
  const { endpoint, port } = await registry.start(memory);
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(endpoint + path, { headers });
    const body = (await response.json().catch(() => ({}))) as { error?: { group: string; code: string } };
    return {
      status: response.status,
      code: body.error === undefined ? "" : codeOf(body.error),
      headers: response.headers,
    };
  };
  return { registry, endpoint, port, ask, [Symbol.asyncDispose]: () => registry.stop() };
}

test("every address of the inspector wants its token, in the header and nowhere else", async () => {
  await using at = await serve({ inspector });
  for (const path of [
    "/inspector/actors",
    "/inspector/actors/x",
    "/inspector/metrics",
    "/inspector",
    "/inspector/x",
  ]) {
    expect([path, (await at.ask(path)).code]).toEqual([path, "gateway.unauthorized"]);
    expect((await at.ask(path, { authorization: "Bearer for peoplf" })).code).toBe("gateway.unauthorized");
    expect((await at.ask(`${path}?token=for+people`)).code).toBe("gateway.unauthorized");
  }
  const { status, headers } = await at.ask("/inspector/actors", { authorization });
  expect(status).toBe(200);
  expect(headers.get("cache-control")).toBe("no-store");
  const foreign = await at.ask("/inspector/actors", { authorization, origin: "https://evil.example" });
  expect(foreign.code).toBe("gateway.origin_not_allowed");
});

test("a request for another host is refused before its token is looked at", async () => {
  await using at = await serve({ inspector });
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(at.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    socket.on("close", () => resolve(text));
    socket.write(
      `GET /inspector/actors HTTP/1.1\r\nhost: rebound.example\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
    );
  });
  expect(answer).toContain("403");
  expect(answer).toContain("host_not_allowed");
});

test("the two tokens open their own doors alone", async () => {
  await using at = await serve({ inspector, auth: "token", token: "for clients" });
  const clients = { authorization: "Bearer for clients" };
  expect((await at.ask("/inspector/actors", clients)).code).toBe("gateway.unauthorized");
  expect((await at.ask("/inspector/actors", { authorization })).status).toBe(200);
  expect((await at.ask("/actor/counter/resolve", { authorization })).code).toBe("gateway.unauthorized");
  expect((await at.ask("/metrics", { authorization })).code).toBe("gateway.unauthorized");
});

test("a live connection wants the token as a subprotocol or header; it has its own limit", async () => {
  await using at = await serve({ inspector });
  const client = await at.registry.client();
  const id = await client.counter.getOrCreate("a").resolve();
  const url = `${at.endpoint.replace("http", "ws")}/inspector/actors/${id}/live`;
  const outcome = (address: string, protocols: string[], headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(address, protocols, { headers });
      socket.on("message", (data) => {
        resolve(JSON.parse(String(data)).kind);
        socket.close();
      });
      socket.on("error", (error) => resolve(error.message));
    });
  const token = Buffer.from("for people").toString("base64url");
  expect(await outcome(url, [])).toContain("401");
  expect(await outcome(`${url}?token=for+people`, [])).toContain("401");
  expect(await outcome(url, ["troupe", "troupe.token.d3Jvbmc"])).toContain("401");
  expect(
    await outcome(url, ["troupe", `troupe.token.${token}`], { origin: "http://evil.example" }),
  ).toContain("403");
  expect(await outcome(url, ["troupe", `troupe.token.${token}`])).toBe("snapshot");
  expect(await outcome(url, [], { authorization })).toBe("snapshot");
});

test("where it is off its addresses are nobody's, or the app's, under the registry's own rules", async () => {
  for (const config of [{}, { inspector: { token: "t", enabled: false } }]) {
    await using at = await serve(config);
    expect((await at.ask("/inspector/actors", { authorization: "Bearer t" })).code).toBe("gateway.not_found");
  }
  await using app = await serve({ fetch: () => Response.json({ the: "app" }), auth: "token", token: "c" });
  expect((await app.ask("/inspector/actors")).code).toBe("gateway.unauthorized");
  expect((await app.ask("/inspector/actors", { authorization: "Bearer c" })).status).toBe(200);
});

test("the page is there without a token, in development alone", async () => {
  vi.stubEnv("NODE_ENV", "production");
  try {
    await using at = await serve({ inspector });
    expect((await at.ask("/inspector/ui")).code).toBe("gateway.unauthorized");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("TROUPE_INSPECTOR_TOKEN turns it on, read-only; settings that say nothing are refused", async () => {
  vi.stubEnv("TROUPE_INSPECTOR_TOKEN", "from outside");
  try {
    await using at = await serve({});
    const headers = { authorization: "Bearer from outside" };
    expect((await at.ask("/inspector/actors", headers)).status).toBe(200);
  } finally {
    vi.unstubAllEnvs();
  }
  await expect(setup({ use, inspector: {} }).start(memory)).rejects.toMatchObject({ code: "invalid_option" });
  const given = (value: unknown) => value as InspectorConfig;
  for (const config of [
    { token: "" },
    { token: 7 },
    { token: "t", write: "yes" },
    { token: "t", enabled: 1 },
    "on",
  ])
    expect(() => setup({ use, inspector: given(config) })).toThrow(
      expect.objectContaining({ group: "config", code: "invalid_option" }),
    );
  expect(() => setup({ use, inspector: given({ tokn: "t" }) })).toThrow(
    expect.objectContaining({ code: "unknown_option" }),
  );
});

test("a wrong token, none, and a server that has none yet are told apart", async () => {
  await using at = await serve({ inspector });
  const why = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const response = await fetch(at.endpoint + path, { headers });
    return ((await response.json()) as { error: { message: string } }).error.message;
  };
  expect(await why("/inspector/actors")).toBe("A token is needed");
  expect(await why("/inspector/actors", { authorization: "Bearer no" })).toBe(
    "This token isn't the right one",
  );
  expect(await why("/metrics", { authorization: "Bearer any" })).toContain("setup({ token })");
});

test("a browser at / is shown the way to the inspector, where it has a page; a program is told that nothing is there", async () => {
  for (const [env, shown] of [
    ["development", 'href="/inspector/ui"'],
    ["production", "TROUPE_INSPECTOR_TOKEN"],
  ] as const) {
    vi.stubEnv("NODE_ENV", env);
    try {
      await using at = await serve({ inspector });
      const page = await fetch(`${at.endpoint}/`, { headers: { accept: "text/html,*/*" } });
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining(shown)]);
      expect((await at.ask("/")).code).toBe("gateway.not_found");
      expect((await at.ask("/elsewhere", { accept: "text/html" })).code).toBe("gateway.not_found");
    } finally {
      vi.unstubAllEnvs();
    }
  }
});
