/**
 * The queues of a definition, checked.
 */
import { limits } from "@troupe/protocol";
import { configErrors } from "../errors.ts";
import { type DeliveryPolicy, defaultPolicy } from "../queue/policy.ts";
import type { StandardSchema } from "./types/standard-schema.ts";

/** Says whether somebody may send; its types are erased. */
export type CanPublish = (c: unknown, message: unknown) => unknown;

/** One queue. */
export interface QueueSettings {
  readonly message: StandardSchema | undefined;
  readonly complete: StandardSchema | undefined;
  readonly canPublish: CanPublish | undefined;
  readonly policy: DeliveryPolicy;
}

/** Queues by name. Not a Map, which anybody who has it may change. */
export class QueueTable {
  readonly names: readonly string[];
  readonly #byName: ReadonlyMap<string, QueueSettings>;

  constructor(byName: ReadonlyMap<string, QueueSettings>) {
    this.#byName = byName;
    this.names = Object.freeze([...byName.keys()]);
    Object.freeze(this);
  }

  get(name: string): QueueSettings | undefined {
    return this.#byName.get(name);
  }

  policyOf(name: string): DeliveryPolicy {
    return this.#byName.get(name)?.policy ?? defaultPolicy;
  }

  /** Throws `config.invalid_option`, `config.unknown_key`. */
  static parse(queues: unknown): QueueTable {
    const byName = new Map<string, QueueSettings>();
    if (queues === undefined) return new QueueTable(byName);
    if (typeof queues !== "object" || queues === null)
      throw configErrors.invalidOption("queues", "an object of queues");
    for (const [name, declared] of Object.entries(queues)) {
      if (!isQueueName(name))
        throw configErrors.invalidOption(
          `queues.${name}`,
          `1 to ${limits.memberNameLength} characters, without half a surrogate pair`,
        );
      byName.set(name, settingsOf(`queues.${name}`, declared));
    }
    return new QueueTable(byName);
  }
}

/** True for what can be the name of a queue. */
export function isQueueName(name: unknown): name is string {
  return (
    typeof name === "string" && name !== "" && name.length <= limits.memberNameLength && name.isWellFormed()
  );
}

const knownKeys: ReadonlySet<string> = new Set([
  "message",
  "complete",
  "canPublish",
  "visibilityTimeout",
  "maxAttempts",
  "retryDelay",
]);

function settingsOf(path: string, declared: unknown): QueueSettings {
  if (isSchema(declared))
    return { message: declared, complete: undefined, canPublish: undefined, policy: defaultPolicy };
  if (typeof declared !== "object" || declared === null)
    throw configErrors.invalidOption(path, "queue(), or a Standard Schema");
  const options: Readonly<Record<string, unknown>> = { ...declared };
  for (const key of Object.keys(options)) {
    if (!knownKeys.has(key)) throw configErrors.unknownKey(`${path}.${key}`, undefined);
  }
  const { canPublish } = options;
  if (canPublish !== undefined && !isCanPublish(canPublish))
    throw configErrors.invalidOption(`${path}.canPublish`, "a function");
  return Object.freeze({
    message: schemaIn(options, "message", path),
    complete: schemaIn(options, "complete", path),
    canPublish,
    policy: Object.freeze({
      visibilityTimeout: numberIn(options, "visibilityTimeout", path),
      maxAttempts: numberIn(options, "maxAttempts", path),
      retryDelay: numberIn(options, "retryDelay", path),
    }),
  });
}

function isCanPublish(value: unknown): value is CanPublish {
  return typeof value === "function";
}

function schemaIn(
  options: Readonly<Record<string, unknown>>,
  key: string,
  path: string,
): StandardSchema | undefined {
  const value = options[key];
  if (value === undefined || isSchema(value)) return value;
  throw configErrors.invalidOption(`${path}.${key}`, "a Standard Schema");
}

/** Some schemas are functions. */
function isSchema(value: unknown): value is StandardSchema {
  const holds = (typeof value === "object" && value !== null) || typeof value === "function";
  return holds && "~standard" in value;
}

function numberIn(
  options: Readonly<Record<string, unknown>>,
  key: keyof DeliveryPolicy,
  path: string,
): number {
  const value = options[key];
  if (value === undefined) return defaultPolicy[key];
  const least = key === "retryDelay" ? 0 : 1;
  if (typeof value !== "number" || !(value >= least))
    throw configErrors.invalidOption(`${path}.${key}`, `a number, ${least} or more`);
  return value;
}
