/**
 * Every kind of middleware: the one table. Registration functions (`registration-functions.ts`), the numbers on wires
 * and the table in docs/relay.md come from it; what a kind gets and answers is typed in `payloads.ts`.
 *
 * Order within one kind: priority ascending, then global before scope-local and outer scopes before inner ones, then as
 * registered. For execution intercepts first means outermost. A call takes its chains when it starts: what is registered
 * or removed later is for later calls. Subscribers are taken when an event is emitted. Gates are asked once for each
 * registration that they are about, when a call gets to its kind, or when an event is emitted.
 */
import { limits } from "@troupe/protocol";
import type { MiddlewareShapes } from "./payloads.ts";

/** The name of a kind. */
export type MiddlewareKind = keyof MiddlewareShapes;

/** When it runs, in the order of one call. Event phases run behind the call, and never hold it up. */
export type Phase =
  | "gate"
  | "conditional"
  | "request"
  | "execution"
  | "sanitize"
  | "inject"
  | "scrub"
  | "deliver";

/**
 * What its failure does. `closed` refuses the call; `omit` leaves the payload out of the event; `clear` empties the
 * fields that may be rewritten; `open` goes on without it; `isolated` is counted and logged.
 */
export type FailurePolicy = "closed" | "omit" | "clear" | "open" | "isolated";

/** A row of the table. */
export interface KindRow {
  /** The kind on wires. Never reused. */
  readonly wire: number;
  readonly phase: Phase;
  readonly payload: "event" | "tool" | "llm" | "action" | "registration";
  readonly failure: FailurePolicy;
  /** Goes around the rest of the call and gets `next`. */
  readonly around: boolean;
  /** An entry may end the chain behind it. */
  readonly breakable: boolean;
  /** Answers in the turn in which it is asked: a promise is a failure. */
  readonly atOnce: boolean;
  /** What an answer may take unless its registration says otherwise; null: as long as it likes. Milliseconds. */
  readonly deadlineMs: number | null;
  /** What it is for, in a sentence. */
  readonly what: string;
}

const call = {
  failure: "closed",
  around: false,
  breakable: false,
  atOnce: false,
  deadlineMs: limits.relayGuardrailMs,
} as const;
const event = {
  payload: "event",
  around: false,
  breakable: false,
  atOnce: false,
  deadlineMs: limits.relayEventMiddlewareMs,
} as const;
const copy = {
  ...call,
  phase: "sanitize",
  failure: "omit",
  deadlineMs: limits.relayEventMiddlewareMs,
} as const;

/** The table. */
export const middlewareKinds = {
  subscriber: {
    ...event,
    wire: 1,
    phase: "deliver",
    failure: "isolated",
    deadlineMs: null,
    what: "Gets every event that is emitted where it is visible, in order.",
  },
  event_metadata_injector: {
    ...event,
    wire: 2,
    phase: "inject",
    failure: "open",
    what: "Adds metadata to events: flat, and only keys that aren't there yet.",
  },
  conditional_middleware_guardrail: {
    ...call,
    wire: 3,
    phase: "gate",
    payload: "registration",
    failure: "open",
    atOnce: true,
    deadlineMs: null,
    what: "Leaves another registration out of one call or event, or answers null to let it run.",
  },
  tool_sanitize_request_guardrail: {
    ...copy,
    wire: 10,
    payload: "tool",
    what: "Rewrites the start event's copy of a tool's arguments.",
  },
  tool_sanitize_response_guardrail: {
    ...copy,
    wire: 11,
    payload: "tool",
    what: "Rewrites the end event's copy of a tool's result.",
  },
  tool_conditional_execution_guardrail: {
    ...call,
    wire: 12,
    phase: "conditional",
    payload: "tool",
    what: "Lets a tool call happen, or answers why not.",
  },
  tool_request_intercept: {
    ...call,
    wire: 13,
    phase: "request",
    payload: "tool",
    breakable: true,
    what: "Rewrites the arguments that the tool gets.",
  },
  tool_execution_intercept: {
    ...call,
    wire: 14,
    phase: "execution",
    payload: "tool",
    around: true,
    deadlineMs: null,
    what: "Goes around the tool: calls next as often as it likes, or not at all.",
  },
  llm_sanitize_request_guardrail: {
    ...copy,
    wire: 20,
    payload: "llm",
    what: "Rewrites the start event's copy of a request to a model.",
  },
  llm_sanitize_response_guardrail: {
    ...copy,
    wire: 21,
    payload: "llm",
    what: "Rewrites the end event's copy of a model's response.",
  },
  llm_conditional_execution_guardrail: {
    ...call,
    wire: 22,
    phase: "conditional",
    payload: "llm",
    what: "Lets a model call happen, or answers why not.",
  },
  llm_request_intercept: {
    ...call,
    wire: 23,
    phase: "request",
    payload: "llm",
    breakable: true,
    what: "Rewrites the request that the provider gets.",
  },
  llm_execution_intercept: {
    ...call,
    wire: 24,
    phase: "execution",
    payload: "llm",
    around: true,
    deadlineMs: null,
    what: "Goes around the provider: calls next as often as it likes, or not at all.",
  },
  llm_stream_execution_intercept: {
    ...call,
    wire: 25,
    phase: "execution",
    payload: "llm",
    around: true,
    deadlineMs: null,
    what: "Goes around a provider that streams: answers the chunks that the caller gets.",
  },
  mark_sanitize_guardrail: {
    ...event,
    wire: 30,
    phase: "scrub",
    failure: "clear",
    what: "Rewrites data, metadata and profile of marks.",
  },
  scope_sanitize_start_guardrail: {
    ...event,
    wire: 31,
    phase: "scrub",
    failure: "clear",
    what: "Rewrites data, metadata and profile of start events.",
  },
  scope_sanitize_end_guardrail: {
    ...event,
    wire: 32,
    phase: "scrub",
    failure: "clear",
    what: "Rewrites data, metadata and profile of end events.",
  },
  action_conditional_execution_guardrail: {
    ...call,
    wire: 40,
    phase: "conditional",
    payload: "action",
    what: "Lets an action of an actor begin, or answers why not.",
  },
} as const satisfies Readonly<Record<MiddlewareKind, KindRow>>;

/** The row of a kind, without what is special about it. */
export function kindRow(kind: MiddlewareKind): KindRow {
  return middlewareKinds[kind];
}

/** True for the name of a kind. */
export function isMiddlewareKind(value: unknown): value is MiddlewareKind {
  return typeof value === "string" && Object.hasOwn(middlewareKinds, value);
}

/** The names of all kinds, in the table's order. */
export const middlewareKindNames: readonly MiddlewareKind[] =
  Object.keys(middlewareKinds).filter(isMiddlewareKind);

/** The kind that a wire means by `wire`; undefined for a number that isn't given out. */
export function middlewareKindOf(wire: number): MiddlewareKind | undefined {
  return middlewareKindNames.find((kind) => kindRow(kind).wire === wire);
}
