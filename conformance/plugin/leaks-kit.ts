/**
 * What opening, calling and closing a plugin again and again leaves behind: nothing. A few cycles with each run; with
 * TROUPE_LEAK_CYCLES=10000, as long as it takes.
 */
import { readdirSync, readFileSync } from "node:fs";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginUnderTest } from "./plugin-kit.ts";

/** What a process holds. */
interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly children: number;
  readonly memory: number;
}

/** Registers the story for one carrier and one language; `short` is how many cycles a run without the variable does, 0 for no story. */
export function leaksKit(subject: string, find: () => Promise<PluginUnderTest>, short: number): void {
  const cycles = Number(process.env.TROUPE_LEAK_CYCLES ?? short);
  if (cycles === 0) return;
  const timeout = 290_000 + cycles * 2_000;
  test(`${subject} plugin: ${cycles} cycles leave nothing`, { timeout }, async (context: TestContext) => {
    if (process.platform !== "linux") return context.skip("what a process holds is read in /proc");
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    const cycle = async (): Promise<void> => {
      const session = await openSession({
        env: nodeEnv({ logLevel: "error" }),
        open: found.open,
        hostVersion: "0.0.0",
      });
      const payload = { toolName: "rm", args: {} };
      await session.invoke({ kind: 12, name: "no-rm", payload, options: { timeoutMs: 60_000 } });
      expect(await session.close()).toEqual({ clean: true });
    };
    // What is made once, and kept, is made now.
    for (let warm = 0; warm < Math.min(10, cycles); warm += 1) await cycle();
    const before = held();
    for (let at = 0; at < cycles; at += 1) await cycle();
    await expect.poll(() => exceeds(before, held()), { timeout: 60_000, interval: 50 }).toEqual([]);
  });
}

/** Which of it is more than before. Memory may grow by what a collector leaves for later: 64 MiB, and 1 KiB for each cycle. */
function exceeds(before: Held, now: Held): string[] {
  const cycles = Number(process.env.TROUPE_LEAK_CYCLES ?? 0);
  const most = { ...before, memory: before.memory + 64 * 1024 * 1024 + cycles * 1024 };
  return (["descriptors", "threads", "children", "memory"] as const)
    .filter((what) => now[what] > most[what])
    .map((what) => `${what}: ${before[what]}, now ${now[what]}`);
}

function held(): Held {
  globalThis.gc?.();
  const tasks = readdirSync("/proc/self/task");
  const children = tasks.flatMap((task) => childrenOf(task));
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    threads: tasks.length,
    children: children.length,
    memory: process.memoryUsage().rss,
  };
}

/** A thread may end while it is looked at. */
function childrenOf(task: string): string[] {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean);
  } catch {
    return [];
  }
}
