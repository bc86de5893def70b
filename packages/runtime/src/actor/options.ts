/**
 * The options of an actor, in one table: name, type, default, and whether it does anything here. All of RivetKit's are
 * known. Times are milliseconds.
 */
import { nearest } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { configErrors } from "../errors.ts";
import { parseRateLimits, type RateLimits } from "../rate-limit/rate-limits.ts";

/** `options` of `actor({ … })`. */
export interface ActorOptions {
  /** A name for people. */
  readonly name?: string;
  /** An emoji or icon name for people. */
  readonly icon?: string;
  /** `onMigrate` must end in this time. Default 30,000. */
  readonly onMigrateTimeout?: number;
  /** `createState` must end in this time. Default 5,000. */
  readonly createStateTimeout?: number;
  /** `onCreate` must end in this time. Default 5,000. */
  readonly onCreateTimeout?: number;
  /** `createVars` must end in this time. Default 5,000. */
  readonly createVarsTimeout?: number;
  /** `onWake` must end in this time. Default 30,000. */
  readonly onWakeTimeout?: number;
  /** `onBeforeConnect` must end in this time. Default 5,000. */
  readonly onBeforeConnectTimeout?: number;
  /** `createConnState` must end in this time. Default 5,000. */
  readonly createConnStateTimeout?: number;
  /** `onConnect` must end in this time. Default 5,000. */
  readonly onConnectTimeout?: number;
  /** An action must end in this time. Default 60,000. */
  readonly actionTimeout?: number;
  /** `onRequest` must return its Response in this time; the body may take longer. Default: what `actionTimeout` is. */
  readonly onRequestTimeout?: number;
  /** An actor that was idle for this long sleeps. Default 30,000. */
  readonly sleepTimeout?: number;
  /** What a stop may take, all together: run, actions in flight, onSleep or onDestroy. Default 15,000. */
  readonly sleepGracePeriod?: number;
  /**
   * "serial": one entry at a time: an action, a scheduled call, a message of a raw socket, connect hooks; `run` enters by
   * `c.exclusive`. Calls that an entry brings about itself are let in beside it. Default "parallel": all at once.
   */
  readonly concurrency?: "parallel" | "serial";
  /** True: never sleeps for being idle. Default false. */
  readonly noSleep?: boolean;
  /**
   * An actor that nothing has kept awake for this long is destroyed, as by `c.destroy()`. Default: never. Ours.
   */
  readonly expireAfter?: number;
  /**
   * Raw WebSockets stay open while the actor sleeps; a function decides for each, by the request that opens it. Default:
   * true, also in isolates and on remote hosts; false for plugins in C and Rust. Connections stay wherever they can.
   */
  readonly canHibernateWebSocket?: boolean | ((request: Request) => boolean);
  /**
   * How often the actor may be called: past it `actor.rate_limited`, with `retryAfterMs`. Default: what `setup` says, or no
   * limit. Ours.
   */
  readonly rateLimit?: RateLimits;
  /** Schedules that may wait at once. Default 1,000. */
  readonly maxSchedules?: number;
  /** Messages that all queues of an actor may hold. Default 1,000. */
  readonly maxQueueSize?: number;
  /** Bytes of one message of a queue, or of its reply, encoded; at most 4 MiB. Default 64 KiB. */
  readonly maxQueueMessageSize?: number;
  /** Bytes of one message from a client. Default 64 KiB. */
  readonly maxIncomingMessageSize?: number;
  /** Bytes of one message to a client. Default 1 MiB. */
  readonly maxOutgoingMessageSize?: number;
  /** No effect: state is durable before anybody is told. Known for RivetKit's sake. */
  readonly stateSaveInterval?: number;
  /** No effect: the gateway's heartbeat finds dead sockets. Known for RivetKit's sake. */
  readonly connectionLivenessTimeout?: number;
  /** No effect: the gateway's heartbeat finds dead sockets. Known for RivetKit's sake. */
  readonly connectionLivenessInterval?: number;
  /** No effect: `sleepGracePeriod` covers it. Known for RivetKit's sake. */
  readonly onDestroyTimeout?: number;
  /** No effect: `sleepGracePeriod` covers it. Known for RivetKit's sake. */
  readonly waitUntilTimeout?: number;
  /** No effect. Known for RivetKit's sake. */
  readonly preloadMaxWorkflowBytes?: number;
  /** No effect. Known for RivetKit's sake. */
  readonly preloadMaxConnectionsBytes?: number;
}

/** All options that have an effect, with their defaults filled in. */
export type ResolvedOptions = Required<
  Omit<ActorOptions, NoOpName | OptionalName | "canHibernateWebSocket">
> & { readonly canHibernateWebSocket: ActorOptions["canHibernateWebSocket"] | undefined } & Pick<
    ActorOptions,
    OptionalName
  >;

/** Options without a default. */
type OptionalName = "name" | "icon" | "rateLimit";

type NoOpName =
  | "stateSaveInterval"
  | "connectionLivenessTimeout"
  | "connectionLivenessInterval"
  | "onDestroyTimeout"
  | "waitUntilTimeout"
  | "preloadMaxWorkflowBytes"
  | "preloadMaxConnectionsBytes";

/** The defaults of an actor's options. */
export const defaultOptions: ResolvedOptions = Object.freeze({
  onMigrateTimeout: 30_000,
  createStateTimeout: 5_000,
  onCreateTimeout: 5_000,
  createVarsTimeout: 5_000,
  onWakeTimeout: 30_000,
  onBeforeConnectTimeout: 5_000,
  createConnStateTimeout: 5_000,
  onConnectTimeout: 5_000,
  actionTimeout: 60_000,
  onRequestTimeout: 60_000,
  sleepTimeout: 30_000,
  sleepGracePeriod: 15_000,
  concurrency: "parallel",
  noSleep: false,
  // Never; also where options travel as JSON, which has no infinity.
  expireAfter: Number.MAX_SAFE_INTEGER,
  // Where the kind of actor can.
  canHibernateWebSocket: undefined,
  maxSchedules: limits.schedules,
  maxQueueSize: limits.queueMessages,
  maxQueueMessageSize: limits.queueMessageBytes,
  maxIncomingMessageSize: limits.defaultIncomingMessageBytes,
  maxOutgoingMessageSize: limits.defaultOutgoingMessageBytes,
});

/**
 * Options that only the actor's own code can keep: whoever runs it elsewhere can't do it for the code. The other times and
 * limits are kept on both ends of a line, or on the runtime's.
 */
export const keptByCode = [
  "onMigrateTimeout",
  "createStateTimeout",
  "onCreateTimeout",
  "createVarsTimeout",
  "onBeforeConnectTimeout",
  "createConnStateTimeout",
  "onConnectTimeout",
  "onRequestTimeout",
  "expireAfter",
  "maxSchedules",
  "maxQueueSize",
  "maxQueueMessageSize",
] as const satisfies readonly (keyof ResolvedOptions)[];

/** Those of them that a host keeps which keeps the actor's queues and schedules. */
export const keptByHost: ReadonlySet<string> = new Set<(typeof keptByCode)[number]>([
  "maxSchedules",
  "maxQueueSize",
  "maxQueueMessageSize",
]);

/** Options of RivetKit's that are known and do nothing here. */
export const noEffect: ReadonlySet<string> = new Set<NoOpName>([
  "stateSaveInterval",
  "connectionLivenessTimeout",
  "connectionLivenessInterval",
  "onDestroyTimeout",
  "waitUntilTimeout",
  "preloadMaxWorkflowBytes",
  "preloadMaxConnectionsBytes",
]);

/** Options of RivetKit's whose feature isn't in this version: refused by name, never dropped in silence. */
export const refusedOptions: ReadonlySet<string> = new Set(["enableActorRuntimeSocket"]);

/** Options that count something, and the most each may be. */
const largestCounts: Readonly<Record<string, number>> = {
  maxSchedules: Number.MAX_SAFE_INTEGER,
  maxQueueSize: Number.MAX_SAFE_INTEGER,
  maxQueueMessageSize: limits.queueMessageBytesLargest,
  maxIncomingMessageSize: limits.incomingMessageBytes,
  maxOutgoingMessageSize: limits.outgoingMessageBytes,
};

const texts: ReadonlySet<string> = new Set(["name", "icon"]);

/** The options of a definition, and those that do nothing (for one warning). */
export interface ParsedOptions {
  readonly options: ResolvedOptions;
  readonly ignored: readonly string[];
}

/** Checks options. Throws `config.unknown_option`, `config.invalid_option`, `config.unsupported_option`. */
export function parseOptions(input: unknown): ParsedOptions {
  if (input === undefined) return { options: defaultOptions, ignored: [] };
  if (typeof input !== "object" || input === null) throw configErrors.invalidOption("options", "an object");
  const options: Record<string, unknown> = { ...defaultOptions };
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (noEffect.has(name)) ignored.push(name);
    else options[name] = checkOption(name, value);
  }
  // RivetKit has one time for both.
  if (!("onRequestTimeout" in input) && "actionTimeout" in options)
    options["onRequestTimeout"] = options["actionTimeout"];
  // Every key was checked against the table above, so that the record has the type's shape.
  return { options: Object.freeze({ ...defaultOptions, ...options }), ignored };
}

function checkOption(name: string, value: unknown): unknown {
  if (texts.has(name)) {
    if (typeof value !== "string") throw configErrors.invalidOption(name, "a string");
    return value;
  }
  if (name === "rateLimit") return parseRateLimits(value);
  if (refusedOptions.has(name)) throw configErrors.unsupportedOption(name);
  if (!Object.hasOwn(defaultOptions, name)) {
    const known = [...Object.keys(defaultOptions), "rateLimit", ...texts, ...noEffect];
    throw configErrors.unknownOption(name, nearest(name, known));
  }
  if (name === "concurrency") {
    if (value !== "parallel" && value !== "serial")
      throw configErrors.invalidOption(name, '"parallel" or "serial"');
    return value;
  }
  if (name === "noSleep") {
    if (typeof value !== "boolean") throw configErrors.invalidOption(name, "true or false");
    return value;
  }
  if (name === "canHibernateWebSocket") {
    if (typeof value !== "boolean" && typeof value !== "function")
      throw configErrors.invalidOption(name, "true, false or a function");
    return value;
  }
  if (typeof value !== "number" || !(value >= 0))
    throw configErrors.invalidOption(name, "a number, 0 or more");
  const largest = largestCounts[name];
  if (largest !== undefined && !(value <= largest))
    throw configErrors.invalidOption(name, `at most ${largest}`);
  if (largest !== undefined && !Number.isInteger(value))
    throw configErrors.invalidOption(name, "a whole number");
  if (name === "expireAfter" && value < 1) throw configErrors.invalidOption(name, "1 or more");
  return value;
}
