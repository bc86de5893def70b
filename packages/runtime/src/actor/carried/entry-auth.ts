/**
 * Who may come to a carried actor, as the program says it and not the actor's code: `auth` of its definition.
 *
 * It is asked where the connect hooks of an actor in this process run, and before the code hears of anything: for each
 * connection, and each call, message, request and raw socket without one, from outside or from another actor. What the
 * actor calls by itself, its schedules, asks nobody. Callers are asked about side by side.
 */
import { accessErrors, actorErrors } from "../../errors.ts";
import type { RawRequest } from "../../ports/raw.ts";
import { withTimeout } from "../local/timeout.ts";
import type { CarriedActivation } from "./activation.ts";

/** Whom a caller wants. */
export interface CarriedCaller {
  readonly actorId: string;
  readonly name: string;
  readonly key: readonly string[];
  /** The HTTP request that it came with, without a body; undefined for a caller of this process. */
  readonly request: Request | undefined;
}

/** Decides by a caller's connection parameters. What it throws, or `false`, refuses; anything else lets it in. */
export type CarriedAuth = (c: CarriedCaller, params: unknown) => unknown;

/** Rejects with what refused: `auth.refused`, `actor.hook_timed_out`, or what `auth` threw. */
export async function checkEntry(
  activation: CarriedActivation,
  auth: CarriedAuth,
  asked: { readonly params?: unknown; readonly request?: (() => Request) | undefined },
): Promise<void> {
  const { env, work, request, descriptor } = activation;
  const { id: actorId, name, key } = request.record;
  const timeoutMs = descriptor.options.onBeforeConnectTimeout;
  work.begin("hook");
  try {
    const c = Object.freeze({ actorId, name, key, request: asked.request?.() });
    const answer = async (): Promise<unknown> => await auth(c, asked.params);
    const late = (): unknown => actorErrors.hookTimedOut("auth", timeoutMs);
    const allowed = await withTimeout(env, answer(), timeoutMs, late);
    if (allowed === false) throw accessErrors.refused(name);
  } finally {
    work.end("hook");
  }
}

/** The HTTP request behind a raw one. */
export function requestOf(raw: RawRequest): () => Request {
  if (raw.kind === "socket") return raw.request;
  const { url, method, headers } = raw.head;
  return () => new Request(url, { method, headers: headers.map(([name, value]) => [name, value]) });
}
