/**
 * Work of an actor that no caller waits for, in a scope: hooks of its life, `run`, steps of workflows, scheduled calls.
 *
 * None of it belongs to whatever happened to be going on when its timer was set: its parent is what its row says, or the
 * wake that it is a part of, or nothing.
 */
import type { Metadata, Relay, Scope } from "@troupe/relay";
import type { ActorRecord } from "../ports/directory.ts";
import { actorFacts, endScope, failedWith, OK } from "./tracing.ts";

/** What is to be run. */
export interface WorkToDo {
  readonly record: ActorRecord;
  /** Behind the actor's name. */
  readonly name: string;
  readonly kind: "hook" | "run" | "schedule" | "step";
  /** Default: the current scope. */
  readonly parent?: Scope | undefined;
  readonly facts?: Metadata;
  /** Settles when what it wrote is durable. Default: nobody asks. */
  readonly durable?: () => Promise<void>;
}

/** Runs `fn` in a scope of its own, and gives what it answers, at once where it does; the end event may come later. */
export function inWorkScope<R>(relay: Relay, work: WorkToDo, fn: () => R): R {
  const scope = relay.pushScope(`${work.record.name}.${work.name}`, "function", {
    metadata: { ...actorFacts(work.record, work.kind), ...work.facts },
    ...(work.parent === undefined ? {} : { parent: work.parent }),
  });
  const succeeded = (): void => {
    if (work.durable === undefined) endScope(relay, scope, { metadata: OK });
    else endWhenDurable(relay, scope, work.durable());
  };
  const failed = (error: unknown): void => endScope(relay, scope, failedWith(error));
  let result: R;
  try {
    result = relay.withScopeStack(scope, fn);
  } catch (error) {
    failed(error);
    throw error;
  }
  // Whoever asked has the promise itself: that nobody waits for it is not this one's to hide.
  if (result instanceof Promise) result.then(succeeded, failed);
  else succeeded();
  return result;
}

/** Ends a scope with what becomes of its writes. */
export function endWhenDurable(relay: Relay, scope: Scope, durable: Promise<void>): void {
  durable.then(
    () => endScope(relay, scope, { metadata: OK }),
    (error: unknown) => endScope(relay, scope, failedWith(error)),
  );
}
