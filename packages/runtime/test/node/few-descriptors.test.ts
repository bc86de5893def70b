/** A process that may have few descriptors: who sleeps, who waits, what callers and the log are told, and what is never said. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { descriptorLimit, mostDatabases } from "../../src/node/descriptors.ts";
import { temporaryDirectory } from "../storage/test-env.ts";
import { LimitedServer } from "./limited-server.ts";

const isLinux = process.platform === "linux";
const WHY = "only Linux says how many descriptors a process may have, and has";

test("idle actors with a database sleep for others, so that hundreds are served with descriptors for a few", async (context) => {
  if (!isLinux) return context.skip(WHY);
  using directory = temporaryDirectory();
  await using server = await LimitedServer.start(directory.path, { descriptors: 256 });
  expect(server.log).toContain("raise `ulimit -n`");
  expect(server.log).toContain('"ulimit -n":256,"awakeActorsWithDatabase":18');
  const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
  for (const n of [1, 2]) {
    const waiting = [...keys];
    const caller = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop())
        expect([key, await server.call("notes", key, "add")]).toEqual([key, { n }]);
    };
    await Promise.all(Array.from({ length: 20 }, caller));
  }
  expect(await server.ready()).toBe("200 ok\n");
  expect(server.descriptors).toBeLessThan(256);
  expect(await server.stop()).toBe(0);
}, 120_000);

test("with none left an actor that sleeps can't be opened, which passes; awake ones and all others go on", async (context) => {
  if (!isLinux) return context.skip(WHY);
  using directory = temporaryDirectory();
  await using server = await LimitedServer.start(directory.path, { descriptors: 128 });
  // More than the 9 that have room: the first of them sleep, some only after the last call.
  for (let index = 0; index < 17; index += 1) await server.call("notes", `k${index}`, "add");
  await expect.poll(() => server.actorFiles).toBe(9);
  expect(await server.call("counter", "a", "add")).toBe(1);
  await server.tell("take all descriptors");
  expect(await server.call("notes", "k0", "count")).toMatchObject({
    status: 503,
    group: "storage",
    code: "too_many_open_files",
    retryable: true,
    message: expect.stringContaining("ulimit -n"),
  });
  expect(await server.call("notes", "k16", "add")).toEqual({ n: 2 });
  expect(await server.call("counter", "a", "add")).toBe(2);
  expect(await server.call("counter", "new", "add")).toBe(1);
  await server.tell("give them back");
  expect(await server.call("notes", "k0", "count")).toEqual({ n: 1 });
  expect(await server.stop()).toBe(0);
}, 60_000);

test("limits: actors with a database get half of the process's descriptors, seven each, and one may always be awake", () => {
  expect([limits.databaseDescriptors, limits.databaseDescriptorShare]).toEqual([7, 0.5]);
  expect([1, 256, 1_024, 1_048_576].map(mostDatabases)).toEqual([1, 18, 73, 74_898]);
  expect(mostDatabases(limits.fewDescriptors)).toBe(292);
  if (isLinux) expect(descriptorLimit()).toBeGreaterThan(0);
});
