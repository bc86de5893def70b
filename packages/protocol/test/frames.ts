/** One of each message of the client protocol, or two where it has optional parts. */
import type {
  ActionBody,
  ClientFrame,
  Hello,
  Refusal,
  SendBody,
  ServerFrame,
  Welcome,
  WireError,
} from "@troupe/protocol";

const error: WireError = { group: "actor", code: "overloaded", message: "full", retryable: true };

export const clientFrames: readonly ClientFrame[] = [
  { kind: "action", id: 0, name: "increment", args: [1] },
  {
    kind: "action",
    id: Number.MAX_SAFE_INTEGER,
    name: '"quoted" ż',
    args: ["$Date", new Date(5), undefined],
  },
  { kind: "action", id: 2, name: "pay", args: [1n], timeoutMs: 1_500, idempotencyKey: "order-7" },
  { kind: "cancel", id: 2 },
  { kind: "subscribe", id: 3, event: "changed" },
  { kind: "unsubscribe", event: "__proto__" },
  { kind: "ping" },
];

export const sendFrames: readonly ClientFrame[] = [
  { kind: "send", id: 7, name: "jobs" },
  { kind: "send", id: 8, name: "jobs", body: { n: 1n }, wait: true, timeoutMs: 0.5, ticket: "aZ_9-" },
];

export const sendBodies: readonly SendBody[] = [
  {},
  { body: [new Date(1)], wait: true, timeoutMs: 5, ticket: "t", params: { p: 1 }, input: 1n },
];

export const serverFrames: readonly ServerFrame[] = [
  { kind: "reply", id: 1, output: { n: 1n, list: ["$x"] } },
  { kind: "reply", id: 2, output: null },
  { kind: "reply", id: 3 },
  { kind: "error", error },
  { kind: "error", id: 4, error: { ...error, metadata: { at: new Date(1), __proto: 1 } } },
  { kind: "subscribed", id: 5 },
  { kind: "event", name: "message", args: [] },
  { kind: "event", name: "message", args: ["$5", new Uint8Array([1]), new Map([["a", -0]])] },
  { kind: "pong" },
];

/** Those of streams.schema.json. */
export const streamClientFrames: readonly ClientFrame[] = [
  { kind: "credit", id: 1, items: 128 },
  { kind: "cancel", id: 2 },
];

export const streamServerFrames: readonly ServerFrame[] = [
  { kind: "item", id: 1, item: { n: 1n, list: ["$x"] } },
  { kind: "item", id: 1 },
  { kind: "end", id: 1 },
];

export const hellos: readonly Hello[] = [
  { kind: "hello", versions: [1], encoding: "json" },
  { kind: "hello", versions: [7, 1], encoding: "cbor", params: { token: "t", at: new Date(5) }, input: [1n] },
];

export const openings: readonly (Welcome | Refusal)[] = [
  { kind: "welcome", version: 1, actorId: "a1", connectionId: "c1", heartbeatMs: 30_000 },
  { kind: "refusal", error },
  { kind: "refusal", error: { ...error, metadata: { limit: 1 } }, versions: [1] },
];

/** With what was added later. */
export const limitedOpenings: readonly Welcome[] = [
  {
    kind: "welcome",
    version: 1,
    actorId: "a1",
    connectionId: "c1",
    heartbeatMs: 30_000,
    maxIncomingBytes: 65_536,
  },
];

export const actionBodies: readonly ActionBody[] = [
  {},
  { args: ["$a", 1n], params: { p: 1 }, input: new Set([1]) },
];

export const wireError = error;

/** What retained events add to version 1. */
export const retainedClientFrames: readonly ClientFrame[] = [
  { kind: "subscribe", id: 3, event: "changed", resume: { actorId: "a", after: 0 } },
];

/** What retained events add to version 1. */
export const retainedServerFrames: readonly ServerFrame[] = [
  { kind: "subscribed", id: 5, sequence: 0, gap: true },
  { kind: "event", name: "message", args: [], sequence: 3 },
];
