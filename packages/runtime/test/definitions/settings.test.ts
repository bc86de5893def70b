/** Settings that open doors, or say where data goes, are checked before anything is opened. */
import { actor, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { resolveStartOptions } from "../../src/node/start-options.ts";
import { codeOf } from "../driver/watch.ts";

const use = { counter: actor({ actions: {} }) };

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return codeOf(error);
  }
  return "accepted";
}

/** As a program without types, or with a variable from outside, gives it. */
const given = <T>(value: unknown): T => value as T;

test.each([
  ["auth that isn't one", { auth: given<"token">("tokn") }],
  ["hosts as one text", { allowedHosts: given<string[]>("api.example.com") }],
  ["origins as one text", { allowedOrigins: given<string[]>("*") }],
  ["a token that is a number", { auth: "token" as const, token: given<string>(7) }],
  ["no actors at all", { maxAwakeActors: 0 }],
  ["fewer than none", { maxAwakeActors: -4 }],
  ["not a number", { maxAwakeActors: Number.NaN }],
])("setup refuses %s", (_what, config) => {
  expect(refusal(() => setup({ use, ...config }))).toBe("config.invalid_option");
});

test("start refuses what it doesn't know, and texts that say nothing", () => {
  expect(refusal(() => resolveStartOptions(given({ prt: 1 }), {}))).toBe("config.unknown_option");
  for (const options of [{ dataDir: "" }, { dataDir: 5 }, { host: "" }, { host: 5 }, null])
    expect(refusal(() => resolveStartOptions(given(options), {}))).toBe("config.invalid_option");
  expect(refusal(() => resolveStartOptions({ port: 0, dataDir: "data" }, {}))).toBe("accepted");
});

test.each([
  ["TROUPE_BUSY_POLL", "0", "on, off"],
  ["TROUPE_LOG", "loud", "debug, info, warn, error, silent"],
  ["TROUPE_LOG", "Debug", "debug, info, warn, error, silent"],
  ["TROUPE_DURABILITY", "always", "commit, interval, memory"],
  ["TROUPE_PORT", "http", "a port number"],
])("start refuses %s=%s, and says what it may be", (name, value, expected) => {
  expect(() => resolveStartOptions({}, { [name]: value })).toThrow(`${name}=${value}: must be ${expected}`);
  expect(refusal(() => resolveStartOptions({}, { [name]: value }))).toBe("config.invalid_environment");
  expect(refusal(() => resolveStartOptions({}, { [name]: "" }))).toBe("accepted");
});

test("a level of the log that isn't one keeps a registry from starting", async () => {
  vi.stubEnv("TROUPE_LOG", "loud");
  try {
    const registry = setup({ use });
    await expect(registry.start({ port: 0, durability: "memory" })).rejects.toMatchObject({
      group: "config",
      code: "invalid_environment",
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a handler answers what is no request", async () => {
  const registry = setup({ use });
  process.env["TROUPE_DURABILITY"] = "memory";
  try {
    const response = await registry.handler(given<Request>({}));
    expect(response.status).toBe(500);
    expect(response.headers.get("content-type")).toContain("json");
  } finally {
    delete process.env["TROUPE_DURABILITY"];
    await registry.stop();
  }
});
