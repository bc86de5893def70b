/**
 * A promise that is waited for so long and no longer.
 */
import type { Timers } from "@troupe/base";

/** What `promise` settles with, if that is within `timeoutMs`; else rejects with what `late` makes. */
export async function within<T>(
  timers: Timers,
  timeoutMs: number,
  promise: Promise<T>,
  late: () => Error,
): Promise<T> {
  const timeOut = Promise.withResolvers<never>();
  const timer = timers.set(() => timeOut.reject(late()), timeoutMs);
  try {
    return await Promise.race([promise, timeOut.promise]);
  } finally {
    timers.clear(timer);
  }
}
