/** The counter in workerd, for an engine in this process: its state, its schedules and its connections are here. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createClient } from "@troupe/client";
import { remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { Counter, Ledger } from "./worker.ts";
import { bundle, EdgeHost } from "./workerd.ts";

const TOKEN = "edge-secret";

async function engine() {
  const use = { counter: remoteActor<Counter>(), ledger: remoteActor<Ledger>({ database: true }) };
  const registry = setup({ use, hosts: { token: TOKEN } });
  const dataDir = await mkdtemp(join(tmpdir(), "troupe-edge-"));
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  const client = createClient<typeof registry>(endpoint);
  return {
    endpoint,
    client,
    async [Symbol.asyncDispose]() {
      await client.dispose();
      await registry.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

test("S3.10 (in part): the edge bundle is built without anything of Node's, and small", async () => {
  const script = await bundle("./worker.ts");
  expect(script).not.toMatch(/["']node:/);
  const bytes = gzipSync(script).byteLength;
  process.stdout.write(`the edge bundle: ${(bytes / 1_000).toFixed(1)} kB gzip\n`);
  expect(bytes).toBeLessThan(120_000);
});

test("a counter in workerd: actions, events and schedules; its host dies, and another one goes on", async () => {
  await using troupe = await engine();
  const script = await bundle("./worker.ts");
  const bindings = { ENGINE: troupe.endpoint, TOKEN };
  const counter = troupe.client.counter.getOrCreate(["edge"]);
  {
    const [host, said] = await EdgeHost.start(script, bindings);
    await using _ = host;
    expect(said).toBe("data: ready\n\n");
    expect(await counter.increment(2)).toBe(2);
    expect(await counter.where()).toEqual({ bornIn: "Cloudflare-Workers", runsIn: "Cloudflare-Workers" });
    const connection = counter.connect();
    const heard = new Promise((resolve) => connection.on("changed", resolve));
    await connection.increment(1);
    expect(await heard).toBe(3);
    const scheduled = new Promise((resolve) => connection.on("changed", resolve));
    await counter.later(1);
    expect(await scheduled).toBe(103);
    await connection.dispose();
  }
  const [next] = await EdgeHost.start(script, bindings);
  await using _ = next;
  expect(await counter.action({ name: "increment", args: [1], idempotencyKey: "next" })).toBe(104);
});

test("S3.7 (in part): a workerd that is frozen past its time and comes back changes nothing; its actor runs elsewhere", async () => {
  await using troupe = await engine();
  const script = await bundle("./worker.ts");
  const bindings = { ENGINE: troupe.endpoint, TOKEN };
  const counter = troupe.client.counter.getOrCreate(["frozen"]);
  const [frozen] = await EdgeHost.start(script, bindings);
  await using _ = frozen;
  expect(await counter.increment(1)).toBe(1);
  frozen.freeze();
  const unheard = expect(counter.increment(1_000)).rejects.toMatchObject({ code: "lost" });
  const [next] = await EdgeHost.start(script, bindings);
  await using __ = next;
  await unheard;
  expect(await counter.increment(1)).toBe(2);
  // What it was told before it was given up it does now, and nobody takes it from there.
  frozen.thaw();
  for (let count = 3; count <= 50; count += 1) expect(await counter.increment(1)).toBe(count);
});

test("remote SQL: statements of an actor in workerd run in the engine, with their types, and outlive the host", async () => {
  await using troupe = await engine();
  const script = await bundle("./worker.ts");
  const bindings = { ENGINE: troupe.endpoint, TOKEN };
  const ledger = troupe.client.ledger.getOrCreate(["edge"]);
  const large = 2n ** 60n + 1n;
  {
    const [host] = await EdgeHost.start(script, bindings);
    await using _ = host;
    expect(await ledger.add(large, Uint8Array.of(0, 255))).toBe(1);
    expect(await ledger.all()).toEqual([{ id: 1, amount: large, note: Uint8Array.of(0, 255) }]);
    await expect(ledger.wrong()).rejects.toMatchObject({ group: "internal", code: "error" });
    await expect(ledger.attach()).rejects.toMatchObject({ group: "internal", code: "error" });
  }
  const [next] = await EdgeHost.start(script, bindings);
  await using _ = next;
  // The engine may not know yet that the first one is gone: under a key the call is sent again.
  const add = { name: "add", args: [2n, Uint8Array.of()], idempotencyKey: "second" };
  expect(await ledger.action(add)).toBe(2);
  expect((await ledger.all()).map(({ amount }) => amount)).toEqual([large, 2]);
});

test("a host with a wrong token is refused by name", async () => {
  await using troupe = await engine();
  const script = await bundle("./worker.ts");
  const [host, said] = await EdgeHost.start(script, { ENGINE: troupe.endpoint, TOKEN: "guess" });
  await using _ = host;
  expect(said).toMatch(/^data: refused: .*token/);
});
