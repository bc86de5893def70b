/** Plugins that are opened, closed and refused leave nothing behind; `npm run leaks` does the same ten thousand times. */
import { expect, test, vi } from "vitest";
import { held, openCycles } from "./support/open-cycles.ts";

const CYCLES = 16;
const AT_ONCE = 2;

const counted = ["descriptors", "threads", "processes"] as const;

test.skipIf(process.platform !== "linux")(
  "S1.2 opened, closed and refused again and again, no carrier leaves a descriptor, a thread or a process",
  { timeout: 180_000 },
  async () => {
    for (const cycle of await openCycles()) {
      await using running = cycle;
      const cycles = Math.max(1, Math.round(CYCLES * running.share));
      // What the first one brings for good: a pool's threads, a process that all share.
      await running.run();
      const before = held();
      for (let left = cycles; left > 0; left -= AT_ONCE)
        await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, () => running.run()));
      // What was closed a moment ago may be on its way.
      const grown = (): string[] => {
        const after = held();
        return counted.filter((key) => after[key] > before[key]).map((key) => `${running.carrier}: ${key}`);
      };
      await vi.waitFor(() => expect(grown()).toEqual([]), { timeout: 20_000 });
    }
  },
);
