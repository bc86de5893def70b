/** What a component does by itself, for as long as it may take: one that hangs would hold up every document behind it. */
import type { Timers } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";

/** What `work` comes to. Rejects with `relay.deadline_exceeded` when that isn't there in time; then it goes on unheard. */
export async function inTime<T>(
  timers: Timers,
  work: () => T | PromiseLike<T>,
  of: { readonly kind: string; readonly name: string },
): Promise<T> {
  const ms = limits.relayComponentMs;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = timers.set(() => reject(relayErrors.deadlineExceeded(of.kind, of.name, ms)), ms);
  try {
    return await Promise.race([work(), over]);
  } finally {
    timers.clear(timer);
  }
}
