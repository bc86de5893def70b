/** `createClient`: a client of a gateway, over HTTP and WebSocket. */
import { clientOf } from "./client.ts";
import { type ClientConfig, settingsOf } from "./config.ts";
import type { Registry } from "./contract.ts";
import { clientErrors } from "./errors.ts";
import type { Client } from "./types.ts";

/**
 * Makes a client of the actors of a registry. Opens nothing by itself.
 *
 * ```ts
 * const client = createClient<typeof registry>("http://127.0.0.1:6420");
 * const counter = client.counter.getOrCreate(["a"]);
 * await counter.increment(1);
 * ```
 *
 * A stateless call that surely had no effect is repeated for up to 15 s (`retry`); one whose answer was lost fails
 * with `client.outcome_unknown` and is never repeated. Throws `client.bad_endpoint` and `client.unknown_option`.
 */
export function createClient<R extends Registry = Registry>(
  config?: string | ClientConfig,
  ...more: readonly never[]
): Client<R> {
  // What JavaScript lets pass would be for nobody.
  if (more.length > 0) throw clientErrors.oneArgument();
  return clientOf<R>(settingsOf(config));
}
