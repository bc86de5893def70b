/**
 * The way into a life.
 *
 *   create: onMigrate → createState → onCreate → createVars → onWake → run
 *   wake:   migrateState → onMigrate → createVars → onWake → run
 *
 * The database's own onMigrate comes before the actor's. What it writes is kept back until it is done.
 *
 * What a creation writes is kept back until its last hook is done, so that one that fails leaves nothing; if a hook waits
 * for the disk, what is there goes early. The batch behind the last hook says that the actor is whole: one that a crash
 * cut short is given back by whoever finds it. A wake stores nothing by itself.
 */
import { PLACE_PREFIX } from "../../events/retained.ts";
import type { MaybePromise, Row } from "../../ports/storage.ts";
import { LEDGER_ROW } from "../../queue/queue-key.ts";
import { isScheduleRow } from "../../schedule/schedule.ts";
import { andThen } from "../../storage/overlay.ts";
import { WORKFLOWS_ROW } from "../../workflow/ledger.ts";
import type { Activation } from "./activation.ts";
import { isConnection } from "./connection-rows.ts";
import { LocalContext } from "./context.ts";
import { databaseOf } from "./database-client.ts";
import { Queueing } from "./queueing.ts";
import { beginRun } from "./run.ts";
import { readChunked } from "./state-chunks.ts";
import { StateTree } from "./state-tree.ts";
import { migrateState, storedVersion, writeVersion } from "./state-version.ts";

/** What a start is made from. */
export interface StartInput {
  readonly rows: readonly Row[];
  readonly isNew: boolean;
  readonly input: unknown;
}

/**
 * Runs the start hooks; without any it is done at once, as most wakes and creations are. Throws, or rejects with, what
 * the first failing one threw; `run` isn't started then.
 */
export function start(activation: Activation, from: StartInput): Promise<void> | undefined {
  if (from.isNew) activation.creating();
  else {
    const adopted = adoptRows(activation, from.rows);
    if (adopted instanceof Promise) return adopted.then(() => goOn(activation, from));
  }
  return goOn(activation, from);
}

/** The state is there, or is to be made. */
function goOn(activation: Activation, from: StartInput): Promise<void> | undefined {
  const { state, vars, plainStart, workflow } = activation.behaviour;
  if (workflow !== undefined) activation.workflows ??= workflow.engine.open(activation);
  if (!plainStart) return startWithHooks(activation, from);
  if (from.isNew && state.kind === "value") giveState(activation, state.value);
  if (vars.kind === "value") giveVars(activation, vars.value);
  activation.created();
  return undefined;
}

async function startWithHooks(activation: Activation, from: StartInput): Promise<void> {
  const { hooks } = activation.behaviour;
  const { options } = activation.descriptor;
  const c = new LocalContext(activation);
  await migrate(activation);
  if (hooks.onMigrate)
    await activation.hook("onMigrate", options.onMigrateTimeout, hooks.onMigrate, [c, from.isNew]);
  if (from.isNew) {
    await createState(activation, c, from.input);
    if (hooks.onCreate)
      await activation.hook("onCreate", options.onCreateTimeout, hooks.onCreate, [c, from.input]);
  }
  await createVars(activation, c);
  if (hooks.onWake) await activation.hook("onWake", options.onWakeTimeout, hooks.onWake, [c]);
  activation.created();
}

async function migrate(activation: Activation): Promise<void> {
  const declared = activation.behaviour.database;
  if (declared?.migrate === undefined) return;
  const { migrate } = declared;
  const { onMigrateTimeout } = activation.descriptor.options;
  activation.migrating();
  await activation.hook(
    "onMigrate",
    onMigrateTimeout,
    () => migrate(activation.database, databaseOf(activation)),
    [],
  );
  activation.migrated();
}

/** The actor is ready: `run` and the schedules begin. */
export function begin(activation: Activation): void {
  activation.phase = { tag: "running" };
  activation.expiry?.start();
  if (activation.expiry?.over === true) return;
  const { run } = activation.behaviour;
  if (run !== undefined) beginRun(activation, run);
  if (activation.hasSchedules && !activation.doomed) activation.schedules.start();
}

/** Throws `actor.state_newer`, before anything is touched. */
function adoptRows(activation: Activation, rows: readonly Row[]): MaybePromise<void> {
  const version = storedVersion(activation, rows);
  activation.expiry?.load(rows);
  if (rows.some(isScheduleRow)) activation.schedules.load(rows);
  if (rows.some(({ key }) => key.startsWith(PLACE_PREFIX))) activation.retained.load(rows);
  // A client of which nothing is stored is told so.
  const { host, record } = activation;
  if (rows.some(isConnection) || host.hibernation?.has(record.id) === true) activation.connections.load(rows);
  const ledger = rows.find((row) => row.key === LEDGER_ROW);
  if (ledger !== undefined) activation.queueing = new Queueing(activation, ledger.value);
  const workflows = rows.find((row) => row.key === WORKFLOWS_ROW);
  const { workflow } = activation.behaviour;
  if (workflows !== undefined && workflow !== undefined)
    activation.workflows = workflow.engine.open(activation, workflows.value);
  if (activation.behaviour.state.kind === "none") return migrateState(activation, version);
  return andThen(readChunked(rows, activation.store), (chunked) => {
    activation.adoptState(StateTree.load(activation, rows, chunked));
    return migrateState(activation, version);
  });
}

async function createState(activation: Activation, c: LocalContext, input: unknown): Promise<void> {
  const { state } = activation.behaviour;
  if (state.kind === "none") return;
  if (state.kind === "value") {
    giveState(activation, state.value);
    return;
  }
  const { createStateTimeout } = activation.descriptor.options;
  giveState(activation, await activation.hook("createState", createStateTimeout, state.create, [c, input]));
}

/** Takes a copy. */
function giveState(activation: Activation, value: unknown): void {
  writeVersion(activation);
  activation.adoptState(StateTree.create(activation, value));
}

async function createVars(activation: Activation, c: LocalContext): Promise<void> {
  const { vars } = activation.behaviour;
  if (vars.kind === "none") return;
  if (vars.kind === "value") {
    giveVars(activation, vars.value);
    return;
  }
  const { createVarsTimeout } = activation.descriptor.options;
  activation.vars = await activation.hook("createVars", createVarsTimeout, vars.create, [c]);
}

/** Takes a copy. */
function giveVars(activation: Activation, value: unknown): void {
  activation.vars = structuredClone(value);
}
