/**
 * Passing on: a provider's bytes to the client, while they come and as fast as it takes them. Where either side is cut the other is
 * cut too, so that nobody takes half an answer for all of it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Settles behind the last byte; `see` is shown each chunk before it goes. Throws what cut it. */
export function passOn(
  answer: IncomingMessage,
  response: ServerResponse,
  { signal, see }: { readonly signal: AbortSignal; readonly see?: (chunk: Buffer) => void },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cut = (cause: unknown): void => {
    answer.destroy();
    response.destroy();
    reject(cause);
  };
  const abort = (): void => cut(signal.reason);
  if (see !== undefined) answer.on("data", see);
  answer.pipe(response);
  answer.once("error", cut);
  // A provider that closes without an end: Node says so by an error, too, but not for every way of it.
  answer.once("close", () => answer.readableEnded || cut(new Error("the provider's answer was cut")));
  response.once("error", cut);
  response.once("close", () => {
    if (response.writableFinished) resolve();
    else cut(signal.reason ?? new Error("the client went away"));
  });
  signal.addEventListener("abort", abort, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", abort));
}
