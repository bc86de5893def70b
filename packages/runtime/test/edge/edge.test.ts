/** The counter in workerd, for an engine in this process: its state, its schedules and its connections are here. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createClient } from "@troupe/client";
import { remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { Counter } from "./worker.ts";
import { bundle, EdgeHost } from "./workerd.ts";

const TOKEN = "edge-secret";

async function engine() {
  const registry = setup({ use: { counter: remoteActor<Counter>() }, hosts: { token: TOKEN } });
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
  expect(gzipSync(script).byteLength).toBeLessThan(120 * 1024);
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
  expect(await counter.increment(1)).toBe(104);
});

test("a host with a wrong token is refused by name", async () => {
  await using troupe = await engine();
  const script = await bundle("./worker.ts");
  const [host, said] = await EdgeHost.start(script, { ENGINE: troupe.endpoint, TOKEN: "guess" });
  await using _ = host;
  expect(said).toMatch(/^data: refused: .*token/);
});
