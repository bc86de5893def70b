/** Where a host belongs: what could never be is refused at once, in the same words everywhere, and dials nobody. */
import { actor, remoteActor, setup } from "@troupe/runtime";
import { serveHost, startHost } from "@troupe/runtime/edge";
import { expect, test } from "vitest";
import { rejection } from "../driver/watch.ts";

const use = { counter: actor({ actions: { one: () => 1 } }) };
const place = { endpoint: "http://127.0.0.1:9", token: "secret" };

const wrong = [
  ["programVersion", { programVersion: -1 }],
  ["programVersion", { programVersion: 0.5 }],
  ["programVersion", { programVersion: "x" }],
  ["pool", { pool: "" }],
  ["pool", { pool: "a/b c" }],
  ["pool", { pool: "x".repeat(65) }],
  ["pool", { pool: 5 }],
  ["endpoint", { endpoint: "ftp://127.0.0.1" }],
  ["endpoint", { endpoint: "ws://127.0.0.1" }],
  ["endpoint", { endpoint: "127.0.0.1:6420" }],
  ["endpoint", { endpoint: "http://" }],
  ["endpoint", { endpoint: "http://127.0.0.1:9/engine" }],
  ["endpoint", { endpoint: "http://127.0.0.1:9/?a=1" }],
  ["endpoint", { endpoint: "http://127.0.0.1:9#a" }],
  ["endpoint", { endpoint: "http://user:password@127.0.0.1:9" }],
  ["token", { token: "" }],
  ["token", { token: 5 }],
  ["namespace", { namespace: 5 }],
] as const;

/** As a program in JavaScript gives it. */
function given(options: object): typeof place {
  return { ...place, ...options };
}

test.each(wrong)(
  "a wrong %s: %j is config.invalid_option, of each way to be a host",
  async (key, options) => {
    const refusal = expect.objectContaining({ group: "config", code: "invalid_option", metadata: { key } });
    const program = setup({ use });
    await expect(program.startHost({ ...given(options), signals: false })).rejects.toEqual(refusal);
    expect(() => program.serverless(given(options))).toThrow(refusal);
    expect(() => startHost({ use, ...given(options) })).toThrow(refusal);
    expect(() => serveHost({ use, ...given(options) })).toThrow(refusal);
  },
);

test("a pool has the same name wherever it is named: one that no host could have is refused there", () => {
  const token = "secret";
  const hosts = [
    { tokens: [{ token, pool: "a/b" }] },
    { token, spread: ["a/b"] },
    { token, serverless: [{ pool: "a/b", url: "https://functions.example" }] },
  ];
  for (const one of hosts) expect(() => setup({ use: {}, hosts: one })).toThrow(/digits, dots, dashes/);
  for (const pool of ["", "a/b"]) expect(() => remoteActor({ pool })).toThrow(/digits, dots, dashes/);
  expect(remoteActor({ pool: "eu-west.gpu_2:a" })).toBeDefined();
});

const url = "https://functions.example";

/** `hosts` of an engine that nobody could obey. */
const wrongHosts = [
  ["hosts.tokens.namespace", { tokens: [{ token: "t", namespace: 5 }] }],
  ["hosts.tokens.namespace", { tokens: [{ token: "t", namespace: "a b/c" }] }],
  ["hosts.serverless.namespace", { serverless: [{ pool: "edge", url, namespace: "a b/c" }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: "abc" }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: null }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: { "a b": "x" } }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: { a: "x\ny" } }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: { a: 5 } }] }],
  ["hosts.serverless.headers", { serverless: [{ pool: "edge", url, headers: { Authorization: "x" } }] }],
  ["hosts.serverless.lifespanMs", { serverless: [{ pool: "edge", url, lifespanMs: "5000" }] }],
  ["hosts.serverless.lifespanMs", { serverless: [{ pool: "edge", url, lifespanMs: Number.NaN }] }],
  [
    "hosts.serverless",
    {
      serverless: [
        { pool: "edge", url },
        { pool: "edge", url: `${url}/b`, namespace: "default" },
      ],
    },
  ],
] as const;

test.each(wrongHosts)("`%s` that can't be: %j is config.invalid_option, of setup", (key, hosts) => {
  const refusal = expect.objectContaining({ group: "config", code: "invalid_option", metadata: { key } });
  const setting: object = { use: {}, hosts: { token: "secret", ...hosts } };
  expect(() => setup({ use: {}, ...setting })).toThrow(refusal);
  const serverless = [{ pool: "edge", url, headers: { "x-from": "engine" }, lifespanMs: 5_000 }];
  expect(setup({ use: {}, hosts: { token: "secret", serverless } })).toBeDefined();
});

test("whether a remote actor has a database is said by true or false", () => {
  const options: object = { database: "yes" };
  expect(() => remoteActor(options)).toThrow(/"database" must be true or false/);
});

test("a program with a remoteActor() and no `hosts` doesn't start: nobody could ever bring its code", async () => {
  const program = setup({ use: { counter: remoteActor<(typeof use)["counter"]>() } });
  const started = program.start({ port: 0, durability: "memory", signals: false, banner: false });
  await expect(started).rejects.toMatchObject({ message: expect.stringMatching(/"counter".*`hosts/) });
  expect(await rejection(program.client())).toBe("config.hosts_missing");
});
