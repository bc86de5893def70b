import type { Env } from "@troupe/base";

/** Settles as `promise` does, or rejects with `error()` after `timeoutMs`; then `promise` goes on unwatched. */
export function withTimeout<R>(
  env: Pick<Env, "timers">,
  promise: Promise<R>,
  timeoutMs: number,
  error: () => unknown,
): Promise<R> {
  if (timeoutMs === Infinity) return promise;
  return new Promise((resolve, reject) => {
    const timer = env.timers.set(() => reject(error()), timeoutMs, { background: true });
    promise.then(
      (value) => {
        env.timers.clear(timer);
        resolve(value);
      },
      (cause: unknown) => {
        env.timers.clear(timer);
        reject(cause);
      },
    );
  });
}
