/**
 * Target: which actor is wanted, by id or by address.
 */
import type { ActorAddress } from "../ports/directory.ts";

/** Which actor is wanted. */
export type Target =
  | { readonly kind: "id"; readonly id: string }
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

/** A wanted actor in a line of the log: all that is known of it before it is found. */
export function logFieldsOf(target: Target): { readonly actor: string } | { readonly actorId: string } {
  return target.kind === "id" ? { actorId: target.id } : { actor: target.address.name };
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
