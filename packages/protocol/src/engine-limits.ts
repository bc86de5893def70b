/**
 * What only an engine counts, and processes of its machine. Not a part of `limits`: hosts on the edge bring each byte of theirs
 * over a network.
 */
export const engineLimits = {
  /** Bytes of one message between an actor and a process of its machine. */
  runtimeSocketFrameBytes: 8 * 1024 * 1024,
  /** Requests of one such process that are under way; no more is read of it until one has ended. */
  runtimeSocketRequests: 64,
  /** Processes that are connected to one actor. */
  runtimeSocketConnections: 64,
  /** Bytes of answers that such a process hasn't taken. */
  runtimeSocketUnreadBytes: 32 * 1024 * 1024,
  /** A host that an engine has asked a platform for has come by then; else another one is asked for. */
  hostArriveMs: 20_000,
  /** Links that somebody has opened who wants to be a host and hasn't said Hello. Past it the oldest is closed. */
  hostsOpening: 256,
  /** Bytes that a host's connection holds because the host reads nothing. Past it the host is given up. */
  hostUnsentBytes: 256 * 1024 * 1024,
  /** A serverless host drains after this, if its pool says nothing else. */
  serverlessLifespanMs: 270_000,
  /** The longest lifespan that an engine may order. */
  longestLifespanMs: 86_400_000,
  /** Characters of an order to start a host. */
  startOrderBytes: 4_096,
  /** Namespaces of one runtime. */
  namespaces: 1_024,
  /** Names of actors and pools that remote hosts bring to one namespace. */
  broughtNames: 4_096,
} as const;
