/**
 * What a thread that syncs and its owner share, whatever it is asked for: the two cells on which they sleep, and how a
 * sync says how it went.
 */

/** Which of the first cells means what; behind them is the request. */
export const requestCells = {
  /** Goes up by one with each request (and wraps). The thread sleeps on it. */
  asked: 0,
  /** The `asked` that was served last. The owner sleeps on it. */
  answered: 1,
  /** For how long the thread looks for the next request before it sleeps, microseconds. */
  lookUs: 2,
  /** 1 from the thread's first step on: one that died before has served no request. */
  began: 3,
} as const;

/** Results: 0, a negative errno, or one of these. What is above them is the request's own. */
export const syncResults = {
  /** The sync threw something that has no errno. */
  unknown: 1,
  /** The log was deleted, is shorter than what was written, or has a hole where it should begin. */
  cut: 2,
} as const;

/** What `attempt` comes to, as a number. */
export function resultOf(attempt: () => number): number {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Error && "errno" in error && typeof error.errno === "number") return error.errno;
    return syncResults.unknown;
  }
}

/** Cells in front of the request. */
export const REQUEST_CELL_COUNT = 4;

/** In the thread: serves request after request, until the thread is ended. */
export function serveRequests(cells: Int32Array, serve: () => void): never {
  Atomics.store(cells, requestCells.began, 1);
  for (let served = 0; ; ) {
    const looksUntil = performance.now() + Atomics.load(cells, requestCells.lookUs) / 1_000;
    while (Atomics.load(cells, requestCells.asked) === served && performance.now() < looksUntil);
    Atomics.wait(cells, requestCells.asked, served);
    // Woken, and not asked: it is about to be (`RequestThread.soon`), and looks again.
    if (Atomics.load(cells, requestCells.asked) === served) continue;
    served = Atomics.load(cells, requestCells.asked);
    serve();
    Atomics.store(cells, requestCells.answered, served);
    Atomics.notify(cells, requestCells.answered);
  }
}
