/** What a workflow waits for, and what it remembers of its own program: sleeps, checkpoints, versions, removed entries. */

import { isEntryKind } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import { readable } from "./location.ts";
import type { Scope } from "./scope.ts";

/** Waits until a time, which is stored first: `at` is asked when the code comes here for the first time. */
export function sleepUntil(scope: Scope, name: string, at: () => number): Promise<void> {
  return scope.at(name, "sleep", async ({ entry, put, checkNew }) => {
    if (entry?.done === true) return;
    const until = entry?.until ?? at();
    if (!Number.isFinite(until)) throw workflowErrors.invalidOption("the time", "a finite number");
    checkNew();
    if (entry === undefined) put({ kind: "sleep", until, done: false });
    await scope.until(until);
    // A clock that is set back doesn't undo it.
    put({ kind: "sleep", until, done: true });
  });
}

/** From here on steps may have rollbacks. */
export function rollbackCheckpoint(scope: Scope, name: string): Promise<void> {
  return scope.at(name, "rollback_checkpoint", async ({ entry, put, checkNew }) => {
    if (entry === undefined) {
      checkNew();
      put({ kind: "rollback_checkpoint" });
    }
    scope.life.rollbacks.armed = true;
  });
}

/** Stands where the code had something that it has no more. */
export function removed(scope: Scope, name: string, originalType: string): Promise<void> {
  return scope.place(name, async (location) => {
    if (!isEntryKind(originalType)) throw workflowErrors.invalidOption("originalType", "a kind of entry");
    const { history } = scope.life;
    const entry = history.come(location);
    if (entry === undefined) {
      // One that never came to it passes by: so it is as if it had been removed from the beginning.
      history.put(location, { kind: "removed", originalType });
    } else if (entry.kind !== "removed" && entry.kind !== originalType)
      throw workflowErrors.historyDiverged(
        readable(location),
        `a ${originalType} that was removed`,
        `a ${entry.kind}`,
      );
  });
}

/**
 * Which version of the code a workflow is to follow here: the newest for one that comes here for the first time, 1 for one
 * that has been past this place before there were versions.
 */
export function versionAt(scope: Scope, name: string, latest: number): Promise<number> {
  return scope.at(name, "version_check", async ({ entry, put }) => {
    if (!Number.isInteger(latest) || latest < 1)
      throw workflowErrors.invalidOption("latest", "a whole number, 1 or more");
    if (entry !== undefined) return entry.resolved;
    const resolved = scope.life.history.isBehind(scope.location) ? 1 : latest;
    put({ kind: "version_check", resolved, latest });
    return resolved;
  });
}
