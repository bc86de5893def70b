/** Giving way: how nice a worker's threads are. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { giveWay } from "../../src/sandbox/embedded/give-way.ts";

test("a worker that has threads already gives way with all of them", async (context) => {
  if (process.platform !== "linux") return context.skip("a thread has a priority of its own on Linux alone");
  const child = spawn(process.execPath, ["-e", "process.stdin.resume(); console.log(1)"]);
  onTestFinished(() => void child.kill());
  await once(child.stdout, "data");
  const threads = () => readdirSync(`/proc/${child.pid}/task`).map(Number);
  expect(threads().length).toBeGreaterThan(1);
  giveWay(child.pid ?? 0);
  expect(new Set(threads().map((thread) => getPriority(thread)))).toEqual(
    new Set([Math.max(getPriority(), 10)]),
  );
});
