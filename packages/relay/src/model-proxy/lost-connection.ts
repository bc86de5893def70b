/**
 * Lost connections: what is known of a request when its connection to the provider ends before a byte of an answer.
 *
 * A model call must not be made twice: it costs, and its tools may act. So a request is sent anew only when it wasn't written yet, or
 * when the write itself failed: nobody can have read the whole of it. A connection that ends behind the last byte says nothing: the
 * provider may have closed it as idle while the request was on its way, or have read the request and died.
 *
 * An idle connection whose end is known when a request comes is none of this: undici takes another.
 */

/** How a connection ends that is closed, reset, or gone: undici's own word for the first, the system's for the others. */
const ends: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** True when the request can't have been read whole. `begun`: its first byte may have been written. */
export function wasNotSent(cause: unknown, begun: boolean): boolean {
  return isLost(cause) && (!begun || ("syscall" in cause && cause.syscall === "write"));
}

/** True when the pool of connections was ended with everything in it. */
export function isDestroyed(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "UND_ERR_DESTROYED";
}

/** True when a connection that was open has ended. */
export function isLost(cause: unknown): cause is Error {
  return cause instanceof Error && "code" in cause && ends.has(cause.code);
}
