/**
 * The client protocol, version 1, over HTTP.
 *
 *   POST /actor/{name}/action/{action}?key=a,b&method=getOrCreate    { args?, params?, input?, ticket? } → { output? }
 *   POST /actor/{name}/queue/{queue}?key=a,b&method=getOrCreate      SendBody                   → { output: SendOutcome }
 *   POST /actor/{name}/resolve?key=a,b&method=get                    { input?, params? }        → { actorId }
 *   POST /actor/{name}/create?key=a,b                                { input?, params? }        → { actorId }
 *   PUT  /actor/{name}/reload?key=a,b                                with the gateway's token    → {}
 *   GET  /actor/{name}/connect?key=a,b&method=getOrCreate            WebSocket, see frames.ts
 *   GET  /actor/{name}/websocket/{path}?troupe-key=a,b               WebSocket, the actor's own; see below
 *   …    /actor/{name}/request/{path}?troupe-key=a,b                 any method: the actor's own HTTP; see below
 *   …    /actor-id/{actorId}/…                                       the same routes, by id, without key and method
 *
 * An actor of another namespace than the default one is named with it: `namespace` (`troupe-namespace` where the query is
 * the actor's) beside the key, `/actor-id/{actorId}@{namespace}/…` by id.
 *
 * The body is JSON or CBOR by Content-Type (`application/json`, `application/cbor`; none means JSON); the answer has
 * the same type. A failure is `{ error: WireError }` under the error's status. `troupe-protocol` names the version
 * that a request speaks, 1 when absent.
 *
 * An action whose result comes in items answers with a body in parts: see stream.ts. Its request may say how long its
 * caller waits (`troupe-timeout-ms`: what is left, whole milliseconds), and a name under which it may be sent again
 * (`idempotency-key`). One whose client disconnects is cancelled: nobody waits for its answer any more. One with a key
 * isn't: its client may be about to send it again.
 *
 * Under `/websocket` and `/request` path and query are the actor's; a WebSocket may be opened under either. What the gateway has to
 * know is marked there: `troupe-key`, `troupe-method`, `troupe-namespace`; any other parameter that begins with `troupe-` is an error. So
 * are the headers of a raw request: `troupe-params` has the connection parameters. An answer with `troupe-error` is the gateway's, not the actor's.
 *
 * Path components and key components are percent-encoded; the components of a key are joined by commas (a comma
 * inside one is %2C). An empty component is `~` (a component that is a tilde is %7E). Without `key`, or with none of its
 * text, the key is empty, which is a key like any other.
 */
import type { SendOptions } from "./frames.ts";

/** The header that names the protocol version of a request. */
export const PROTOCOL_HEADER = "troupe-protocol";

/** The header with the connection parameters of a raw request: their JSON, in ASCII. */
export const PARAMS_HEADER = "troupe-params";
/** The header of an answer that isn't the actor's own but the gateway's: the error's `group.code`. */
export const ERROR_HEADER = "troupe-error";

/** How an address is turned into an actor. */
export type ResolveMethod = "get" | "getOrCreate" | "create";

/** The body of an action's request. */
export interface ActionBody {
  readonly args?: readonly unknown[];
  readonly params?: unknown;
  readonly input?: unknown;
  /** With an idempotency key: see `CallTerms`. Here, since browsers ask before they send a header. */
  readonly ticket?: string;
}

/** The body of an action's answer; `output` is absent for undefined. */
export interface ActionAnswer {
  readonly output?: unknown;
}

/** The body of a message for a queue. */
export interface SendBody extends SendOptions {
  /** The message. */
  readonly body?: unknown;
  readonly params?: unknown;
  readonly input?: unknown;
}

/** The body of a resolve or create request. */
export interface ResolveBody {
  readonly input?: unknown;
  readonly params?: unknown;
}

/** The body of its answer. */
export interface ResolveAnswer {
  readonly actorId: string;
}
