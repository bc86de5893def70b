/** BusyPoll on Node. */
import { availableParallelism } from "node:os";
import { BusyPoll } from "@troupe/base";
import { limits } from "@troupe/protocol";

/** What `TROUPE_BUSY_POLL` may say; the first is the default. */
export const busyPolls = ["on", "off"] as const;

/**
 * A busy poll for one asker on this process's event loop. It never polls where there is one core, and with
 * `TROUPE_BUSY_POLL=off`.
 */
export function nodeBusyPoll(): BusyPoll {
  const isOff = process.env["TROUPE_BUSY_POLL"] === "off" || availableParallelism() === 1;
  return new BusyPoll({
    clock: { monotonic: () => performance.now() },
    afterTurn: (task) => void setImmediate(task),
    pollMs: isOff ? 0 : limits.busyPollMs,
    lookMs: limits.busyLookMs,
  });
}
