/** A worker that hangs: it keeps its connection, and says nothing. */
import { readFileSync } from "node:fs";
import type { TroupeError } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { PLUGIN_VERSIONS, type PluginFrame } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { counterWorker } from "../support/counters.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { World } from "../support/world.ts";

/** A worker that is ready and has told its process's number, in a time that the test moves. */
async function readyWorker(folder: PluginFolder) {
  folder.write("main.ts", counterWorker("ready: (host) => host.log('info', String(process.pid))"));
  const env = new World();
  const heard: NonNullable<PluginFrame["body"]>[] = [];
  const ended = Promise.withResolvers<TroupeError | undefined>();
  const load = { kind: "worker", runtime: "node", entrypoint: "main.ts", args: [], env: [] } as const;
  const unchecked = { sha256: undefined, files: new Map<string, string>() };
  const carrier = await workerCarrier({
    plugin: "it",
    env,
    origin: folder.origin,
    load: { ...load, ...unchecked },
  })({
    frame: ({ body }) => body && heard.push(body),
    ended: ended.resolve,
  });
  const hello = { versions: PLUGIN_VERSIONS, hostVersion: "0.0.0", config: new Uint8Array(0) };
  carrier.send({ body: { $case: "hello", value: hello } });
  const told = () => heard.map((body) => (body.$case === "log" ? Number(body.value.line?.message) : 0));
  await expect.poll(told, { timeout: 10_000 }).toContainEqual(expect.toSatisfy((pid: number) => pid > 1));
  return {
    ...{ env, carrier, ended: ended.promise },
    pid: Math.max(...told()),
    pongs: () => heard.filter((body) => body.$case === "pong").length,
  };
}

test("a worker that was stopped is noted in the log, and then ended with a name", async () => {
  using folder = new PluginFolder();
  const { env, ended, pid, carrier } = await readyWorker(folder);
  process.kill(pid, "SIGSTOP");
  await env.pass(engineLimits.workerSilentMs + 2 * engineLimits.workerBeatMs);
  expect(env.lines).toEqual(["warn The plugin's process says nothing: it may hang"]);
  await env.pass(engineLimits.workerHungMs);
  expect(await ended).toMatchObject({ group: "plugin", code: "worker_hung", metadata: { plugin: "it" } });
  expect(() => readFileSync(`/proc/${pid}/cmdline`)).toThrow("ENOENT");
  expect(await carrier.close(0)).toEqual({ clean: true });
});

test("a worker that nobody asks for anything answers beat after beat, and is left alone", async () => {
  using folder = new PluginFolder();
  const { env, ended, carrier, pongs } = await readyWorker(folder);
  const beats = 2 + engineLimits.workerHungMs / engineLimits.workerBeatMs;
  for (let beat = 1; beat <= beats; beat += 1) {
    await expect.poll(pongs, { timeout: 10_000, interval: 5 }).toBe(beat);
    await env.pass(engineLimits.workerBeatMs);
  }
  expect(env.lines).toEqual([]);
  await carrier.close(5_000);
  expect(await ended).toBeUndefined();
});
