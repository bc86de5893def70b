/** What a client goes by, with nothing left open. It knows no transport: who brings one of his own bundles no other. */
import type { Encoding } from "@troupe/protocol";
import type { ReconnectPolicy } from "./connection/reconnect.ts";
import type { ClientEnv } from "./env.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ClientTransport } from "./transport.ts";

/** A configuration with nothing left open. */
export interface ClientSettings {
  readonly env: ClientEnv;
  readonly transport: ClientTransport;
  readonly encoding: Encoding;
  readonly getParams: (() => unknown) | undefined;
  readonly retry: RetryPolicy;
  readonly reconnect: ReconnectPolicy;
  /** Of actions that name no time of their own; undefined for no limit. */
  readonly actionTimeoutMs: number | undefined;
}

/** How stateless calls are repeated. */
export const defaultRetry: RetryPolicy = { baseMs: 100, maxMs: 2_000, deadlineMs: 15_000 };
/** How a connection comes again. */
export const defaultReconnect: ReconnectPolicy = {
  baseMs: 250,
  maxMs: 15_000,
  openTimeoutMs: 15_000,
  welcomeTimeoutMs: 60_000,
  // Longer than any wait between two attempts and the attempt behind it.
  sendTimeoutMs: 30_000,
};

/** The defaults, for a client over a transport of somebody's own. */
export function settingsOver(env: ClientEnv, transport: ClientTransport): ClientSettings {
  return {
    ...{ env, transport, encoding: "json", getParams: undefined },
    retry: defaultRetry,
    reconnect: defaultReconnect,
    actionTimeoutMs: undefined,
  };
}
