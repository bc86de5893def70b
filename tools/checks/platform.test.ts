import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { platformCheck } from "./platform.ts";

const core = "packages/runtime/src/actor/x.ts";

test.each([
  ["a built-in module", 'import { readFile } from "node:fs";', "node:fs outside an adapter"],
  ["a built-in module, later", 'export const f = () => import("node:fs");', "node:fs outside an adapter"],
  ["the clock", "export const t = Date.now();", "uses Date.now"],
  ["the clock in brackets", 'export const t = Date["now"]();', "uses Date.now"],
  ["the clock by constructor", "export const t = new Date();", "reads the clock"],
  ["randomness", "export const t = Math.random();", "uses Math.random"],
  ["a timer", "setTimeout(() => {}, 1);", "the global setTimeout"],
  ["a timer as a value", "export const t = { set: setTimeout };", "the global setTimeout"],
  ["a shorthand", "export const t = { setTimeout };", "the global setTimeout"],
  ["a timer in a signal", "export const t = AbortSignal.timeout(1);", "uses AbortSignal.timeout"],
  ["a global behind globalThis", "globalThis.setTimeout(() => {}, 1);", "the global globalThis"],
  [
    "globalThis by a computed name",
    "export const t = (n: string) => globalThis[n as never];",
    "the global globalThis",
  ],
  [
    "a name that only a type declares",
    "declare const process: object; export const p = process;",
    "global process",
  ],
  [
    "a local elsewhere",
    "function f(crypto: 1) { return crypto; } f(1); crypto.randomUUID();",
    "global crypto",
  ],
])("%s is refused in the core", async (_, text, message) => {
  expect(await findIn(platformCheck, { [core]: text })).toEqual([expect.stringContaining(message)]);
});

test.each([
  ["a local", "export function f({ crypto }: { crypto: object }) { return crypto; }"],
  ["a local around a function", "const process = 1; export const f = () => process;"],
  [
    "a caught name",
    "try { f(); } catch (performance) { f(performance); } function f(x?: unknown) { return x; }",
  ],
  ["an import", 'import { crypto } from "./crypto.ts"; export const c = crypto;'],
  ["a property", "export const f = (env: any) => env.crypto.performance;"],
  ["a key and a method", "export class A { crypto = 1; fetch() {} } export const o = { process: 1 };"],
  ["a type", "export type T = typeof crypto | Buffer; export let t: Crypto;"],
  ["a date from a number", "export const d = new Date(5);"],
  ["a question about the language", "export const h = (globalThis as { Float16Array?: 1 }).Float16Array;"],
])("%s passes in the core", async (_, text) => {
  expect(await findIn(platformCheck, { [core]: text })).toEqual([]);
});

test("adapters may touch the platform; core tests and later packages too", async () => {
  const text = 'import "node:fs"; setTimeout(() => Date.now(), 1);';
  const paths = [
    "packages/runtime/src/node/x.ts",
    "packages/client/src/platform.ts",
    "packages/cli/src/x.ts",
  ];
  const files = Object.fromEntries([...paths, "packages/runtime/test/x.test.ts"].map((path) => [path, text]));
  expect(await findIn(platformCheck, files)).toEqual([]);
});

test("a third-party package is imported where its row says, and nowhere without a row", async () => {
  const files = {
    "packages/runtime/src/node/link.ts": 'import "ws";',
    "packages/runtime/src/gateway/x.ts": 'import "ws";',
    "packages/runtime/src/node/other.ts": 'import "node:sqlite"; import "left-pad";',
  };
  expect(await findIn(platformCheck, files)).toEqual([
    expect.stringMatching(/gateway.x\.ts:1: only .* may import ws/),
    expect.stringMatching(/other\.ts:1: only .* may import node:sqlite/),
    expect.stringMatching(/left-pad has no row/),
  ]);
});

test("a row for a package that nothing depends on is refused", async () => {
  const files = {
    "packages/protocol/package.json": '{ "name": "p", "dependencies": { "lute": "1.0.0" } }',
  };
  expect(await findIn(platformCheck, files)).toContainEqual(
    expect.stringContaining("names ws, which no package"),
  );
});
