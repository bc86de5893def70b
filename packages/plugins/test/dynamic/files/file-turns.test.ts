/** How much of the disk's time a runtime's sources get, and what of it is left when they have gone. */
import { existsSync, readFileSync } from "node:fs";
import { limits } from "@troupe/protocol";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { FileHost } from "../../../src/dynamic/files/file-host.ts";
import { FileTurns } from "../../../src/dynamic/files/file-turns.ts";
import { PluginFolder } from "../../support/plugin-folder.ts";

const question = (act: string, path: string, more: object = {}) => ({
  call: 1,
  ask: HostAsk.FILE,
  invoke: 0,
  input: { act, path, ...more },
  run: () => Promise.reject(new Error("it is about no code")),
});

test("a disk that hangs has as many calls as have turns, and the others go on in their order when it goes on", async () => {
  const turns = new FileTurns();
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const calls: { began: boolean; end: () => void; done: Promise<void> }[] = [];
  for (let n = 0; n < limits.isolateFileCallsAtOnce + 2; n += 1) {
    const end = Promise.withResolvers<void>();
    const call = { began: false, end: end.resolve, done: Promise.resolve() };
    call.done = turns.take(async () => {
      call.began = true;
      await end.promise;
    });
    calls.push(call);
  }
  const began = () => calls.map((call) => call.began);
  await settle();
  expect(began()).toEqual([true, true, false, false]);
  calls[1]?.end();
  await settle();
  expect(began()).toEqual([true, true, true, false]);
  for (const call of calls) call.end();
  await Promise.all(calls.map(({ done }) => done));
  expect(began()).toEqual([true, true, true, true]);
});

test("a source that asks past its own queue is refused, and what waits when it has gone isn't done", async () => {
  using folder = new PluginFolder();
  folder.write("work/a.txt", "a");
  const turns = new FileTurns();
  const grants = [{ path: "/work", hostPath: `${folder.path}/work`, mode: "read-write" as const }];
  const host = new FileHost(grants, turns);
  const reads = Array.from({ length: limits.isolateFileCalls }, () =>
    host.answer(question("read", "/work/a.txt")),
  );
  expect(() => host.answer(question("read", "/work/a.txt"))).toThrow(/16 files already/);
  await Promise.all(reads);
  const data = Buffer.from("b");
  const write = () => host.answer(question("write", "/work/b.txt", { data, how: "replace" }));
  await write();
  expect(readFileSync(`${folder.path}/work/b.txt`, "utf8")).toBe("b");
  const end = Promise.withResolvers<void>();
  const others = Array.from({ length: limits.isolateFileCallsAtOnce }, () => turns.take(() => end.promise));
  const late = host.answer(question("write", "/work/late.txt", { data, how: "replace" }));
  host.end();
  end.resolve();
  await Promise.all([...others, late]);
  expect(existsSync(`${folder.path}/work/late.txt`)).toBe(false);
  await expect(new FileHost(grants, turns).answer(question("read ", "/work"))).rejects.toMatchObject({
    code: "ask_invalid",
  });
});
