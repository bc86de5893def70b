/** `setup({ runtime, sql })`: what a program chooses, and what can't be kept of it. Nothing is opened here. */
import { actor, db, remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { rejection } from "../driver/watch.ts";

const plain = actor({ actions: {} });
const ledger = actor({ db: db(), actions: {} });
const nowhere = { endpoint: "http://127.0.0.1:9", token: "secret", signals: false } as const;
const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;

function codeOf(make: () => unknown): string {
  try {
    make();
    return "taken";
  } catch (error) {
    return error instanceof Error && "group" in error && "code" in error
      ? `${String(error.group)}.${String(error.code)}`
      : String(error);
  }
}

test("a choice is one of those that there are, and one that can be kept nowhere is refused at once", () => {
  const choose = (choice: object) => codeOf(() => setup({ use: {}, ...choice }));
  expect(choose({ runtime: "wasm", sql: "local" })).toBe("sqlite.unavailable");
  expect(choose({ runtime: "bun" })).toBe("config.invalid_option");
  expect(choose({ sql: "none" })).toBe("config.invalid_option");
  expect(choose({ sqlite: "remote" })).toBe("config.unsupported_key");
  for (const runtime of ["auto", "native", "wasm"]) expect(choose({ runtime })).toBe("taken");
  for (const sql of ["local", "remote"]) expect(choose({ runtime: "native", sql })).toBe("taken");
  expect(choose({ runtime: "wasm", sql: "remote" })).toBe("taken");
});

test("a program that chose the engine's SQLite isn't started with its own, and makes no file", async () => {
  for (const choice of [{ sql: "remote" }, { runtime: "wasm" }] as const) {
    const registry = setup({ use: { plain }, ...choice });
    expect(await rejection(registry.start(quiet))).toBe("sqlite.unavailable");
    expect(await rejection(registry.client())).toBe("sqlite.unavailable");
    const answer = await registry.handler(new Request("http://host/livez"));
    expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining("unavailable")]);
  }
});

test("a program whose databases are its own is no host of an engine with them, and one without them is", async () => {
  for (const use of [{ ledger }, { ledger: remoteActor({ database: true }) }]) {
    expect(await rejection(setup({ use, sql: "local" }).startHost(nowhere))).toBe("sqlite.unavailable");
    expect(codeOf(() => setup({ use, sql: "local" }).serverless(nowhere))).toBe("sqlite.unavailable");
  }
  expect(codeOf(() => setup({ use: { plain }, sql: "local" }).serverless(nowhere))).toBe("taken");
  expect(codeOf(() => setup({ use: { ledger }, runtime: "wasm" }).serverless(nowhere))).toBe("taken");
  expect(codeOf(() => setup({ use: { ledger } }).serverless(nowhere))).toBe("taken");
});
