/** A sync of one file, with what may become of it: it is slow, it fails, its process dies before or behind it. */
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { SimDisk } from "./disk.ts";

/** Start hooks wait for the disk, twice at the most, and have 30 s: no sync takes so long that one is cut off. */
const LONGEST_SYNC_MS = 10_000;

/** What is synced, and for whom. */
export interface SyncParts {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly random: Random;
  readonly file: string;
  /** A canary's: says that it is done when it has only begun. */
  readonly early: boolean;
}

/** How long the next sync takes. */
export function syncDelay({ process: { world }, random }: Pick<SyncParts, "process" | "random">): number {
  const slow = world.faults.strikes(world.options.slowSync);
  if (slow) world.counters.add("a slow sync");
  const usualMs = random.around(world.options.syncMs);
  return slow ? Math.min(usualMs * 300, LONGEST_SYNC_MS) : usualMs;
}

/** Begins a sync. */
export function simulateSync(parts: SyncParts, done: (error?: unknown) => void): void {
  const { process, disk, file, early } = parts;
  const { world } = process;
  if (!process.alive) return;
  const delayMs = syncDelay(parts);
  const fails = world.faults.strikes(world.options.failSync);
  if (early) process.enter(done);
  process.later(delayMs, () => {
    world.faults.visit("during a sync");
    if (!process.alive) return;
    if (fails) {
      world.counters.add("a sync failed");
      world.trace.say(process.name, "a sync fails");
      done(new Error("EIO: i/o error, fdatasync"));
      return;
    }
    disk.sync(file);
    world.trace.say(process.name, "synced");
    world.faults.visit("between sync and its callback");
    if (process.alive && !early) done();
  });
}
