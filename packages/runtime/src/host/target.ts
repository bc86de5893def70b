/**
 * Target: which actor is wanted, by id or by address.
 */
import { actorErrors } from "../errors.ts";
import type { ActorAddress, ActorRecord } from "../ports/directory.ts";

/** Which actor is wanted. */
export type Target =
  | {
      readonly kind: "id";
      readonly id: string;
      /** The id of the only namespace that it may be in; left out by whoever found it by its address. */
      readonly namespace?: string;
    }
  | {
      readonly kind: "address";
      readonly address: ActorAddress;
      readonly method: "get" | "getOrCreate" | "create";
      /** For a creation. */
      readonly input?: unknown;
    };

/** True for a target that must not exist yet. */
export function isCreate(target: Target): target is Target & { kind: "address" } {
  return target.kind === "address" && target.method === "create";
}

/** An address as one string: no two addresses share one. A name may hold any character, so its length comes first. */
export function pathOf({ namespace, name, key }: ActorAddress): string {
  return key.length === 1
    ? `${namespace}\n${name.length}\n${name}1\n${key[0] ?? ""}`
    : `${namespace}\n${name.length}\n${name}${JSON.stringify(key)}`;
}

/** One text for whatever finds the same actor for everybody who may see it. */
export function targetPath(target: Target): string {
  return target.kind === "id" ? `#${target.namespace ?? ""}#${target.id}` : pathOf(target.address);
}

/** The record, if it may be seen by whoever asks. Throws `actor.not_found`: of other namespaces nobody learns anything. */
export function seenBy<R extends ActorRecord>(
  { id, namespace }: Target & { kind: "id" },
  record: R | undefined,
): R {
  if (record === undefined || record.namespace !== (namespace ?? record.namespace))
    throw actorErrors.notFound(id);
  return record;
}

/** A wanted actor in a line of the log: all that is known of it before it is found. */
export function logFieldsOf(target: Target): Readonly<Record<string, unknown>> {
  return target.kind === "id"
    ? { actorId: target.id }
    : { actor: target.address.name, key: target.address.key };
}

/** An address for people. */
export function describe(address: ActorAddress): string {
  return `"${address.name}" with key ${JSON.stringify(address.key)}`;
}

/** The name in it, or the id. */
export function nameOf(target: Target): string {
  return target.kind === "id" ? target.id : target.address.name;
}

/** An actor that is being made. */
export interface Creation {
  readonly input: unknown;
  readonly durable: Promise<void> | undefined;
}
