/**
 * Names that an action can't be called by as a method of a handle or connection.
 *
 * What every object has (`constructor`, `toString`), and what tools ask of any (`then`, `toJSON`), is refused in a
 * definition: nobody would notice that something else was called. What handles and connections have for themselves
 * (`connect`, `on`, `send`) a schedule or an HTTP caller may well use: whoever starts such a registry is warned, and calls
 * it through `action({ name })`.
 */
import type { ActorConnRaw, ActorHandleRaw } from "./types.ts";

/** What a handle has beside its actor's actions. */
export const HANDLE_MEMBERS: readonly (keyof ActorHandleRaw & string)[] = [
  "action",
  "connect",
  "fetch",
  "getGatewayUrl",
  "reload",
  "resolve",
  "send",
  "webSocket",
];
/** What a connection has beside its actor's actions. */
export const CONNECTION_MEMBERS: readonly (keyof ActorConnRaw & string)[] = [
  "action",
  "send",
  "on",
  "once",
  "onOpen",
  "onClose",
  "onError",
  "onStatusChange",
  "onGap",
  "connStatus",
  "events",
  "isConnected",
  "ready",
  "reconnect",
  "dispose",
];

/**
 * Asked of objects by `await`, JSON.stringify, React and test runners. A method under these names would be called by
 * them, or make them take the proxy for what it isn't; actions with such names are called through `action()`.
 */
export const NEVER_MEMBERS: ReadonlySet<string> = new Set([
  "then",
  "toJSON",
  "$$typeof",
  "asymmetricMatch",
  "nodeType",
]);

/** Function methods that stay what they are on an action: everything else there is a nested action. */
export const FUNCTION_MEMBERS: ReadonlySet<string> = new Set(["call", "apply", "bind", "prototype"]);

const OWN: ReadonlySet<string> = new Set<string>([...HANDLE_MEMBERS, ...CONNECTION_MEMBERS]);

/** The part of an action's dotted name that every object, or function, has, or that tools ask for. */
export function reservedPart(name: string): string | undefined {
  return name
    .split(".")
    .find(
      (part, level) =>
        NEVER_MEMBERS.has(part) || part in Object.prototype || (level > 0 && FUNCTION_MEMBERS.has(part)),
    );
}

/** True when handles or connections have something of their own under an action's dotted name, or under its group's. */
export function isShadowed(name: string): boolean {
  return OWN.has(name.split(".", 1)[0] ?? "");
}
