/**
 * The version of an actor's state. A row says which program's state it is; a definition without `stateVersion` has
 * version 0, and no row.
 *
 * A program that is older than the state doesn't start the actor: nothing of it is touched. A newer one makes the state
 * its own before anything else of the actor runs; what that writes is kept back until it is done, so that a migration
 * which fails leaves all as it was.
 */
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import { actorErrors } from "../../errors.ts";
import type { MaybePromise, Row } from "../../ports/storage.ts";
import type { Activation } from "./activation.ts";

const VERSION_ROW = "version";

/** The version of what is stored. Throws `actor.state_newer`. */
export function storedVersion({ behaviour, record }: Activation, rows: readonly Row[]): number {
  const row = rows.find(({ key }) => key === VERSION_ROW);
  const stored = row === undefined ? 0 : Number(decodeCbor(row.value));
  if (stored > behaviour.stateVersion) {
    throw actorErrors.stateNewer(record.name, stored, behaviour.stateVersion);
  }
  return stored;
}

/** A new actor's state is this program's. */
export function writeVersion(activation: Activation): void {
  const { stateVersion } = activation.behaviour;
  if (stateVersion > 0) activation.writeRow(VERSION_ROW, encodeCbor(stateVersion));
}

/** Makes the state that was loaded this program's. Throws, or rejects with, what the migration threw. */
export function migrateState(activation: Activation, from: number): MaybePromise<void> {
  const { stateVersion, migrateState: migrate, state } = activation.behaviour;
  if (from === stateVersion) return undefined;
  if (migrate === undefined || state.kind === "none") {
    throw actorErrors.noMigration(activation.record.name, from, stateVersion);
  }
  return run(activation, () => migrate(activation.state.snapshot(), from));
}

async function run(activation: Activation, migrate: () => unknown): Promise<void> {
  activation.migrating();
  const { onMigrateTimeout } = activation.descriptor.options;
  const state = await activation.hook("migrateState", onMigrateTimeout, migrate, []);
  activation.state.replace(state);
  writeVersion(activation);
  activation.migrated();
}
