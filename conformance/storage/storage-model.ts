/**
 * Storage against a model: random commits, reopenings, restarts and crashes.
 *
 * The model keeps for each actor what is surely durable and which batches were given away since. After a clean end
 * everything settled as durable is there and nothing else; after a crash a prefix of the unsettled batches may be.
 */
import fc from "fast-check";
import { expect } from "vitest";
import type { ActorRecord } from "../../packages/runtime/src/ports/directory.ts";
import type { CommitOutcome } from "../../packages/runtime/src/ports/storage.ts";
import type { StorageUnderTest } from "./storage-kit.ts";
import { loadText, Writer } from "./writer.ts";

type Rows = Readonly<Record<string, string | null>>;

type Step =
  | { readonly kind: "put"; readonly actor: number; readonly rows: Rows; readonly wait: boolean }
  | { readonly kind: "reopen"; readonly actor: number }
  | { readonly kind: "restart" }
  | { readonly kind: "crash" };

const ACTORS = 3;

const actor = fc.integer({ min: 0, max: ACTORS - 1 });
const rows = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.option(fc.string({ maxLength: 8 })), {
  maxKeys: 3,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("put"), actor, rows, wait: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("reopen"), actor }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "restart" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "crash" }) },
);

/** One actor: its rows as the model has them, and what was said but not settled. */
class ModelActor {
  record: ActorRecord;
  writer: Writer | undefined;
  durable: Record<string, string> = {};
  unsettled: Rows[] = [];
  /** Crashes so far: what was said before the last one is not heard of any more, whatever it still says. */
  crashes = 0;

  constructor(record: ActorRecord) {
    this.record = record;
  }

  settle(outcome: CommitOutcome, crashesBefore: number): void {
    if (crashesBefore !== this.crashes) return;
    const batch = this.unsettled.shift();
    if (batch !== undefined && outcome.durable) this.durable = apply(this.durable, batch);
  }

  /** Every state that a crash now may leave. */
  possible(): Record<string, string>[] {
    const states = [this.durable];
    let state = this.durable;
    for (const batch of this.unsettled) {
      state = apply(state, batch);
      states.push(state);
    }
    return states;
  }
}

function apply(state: Record<string, string>, batch: Rows): Record<string, string> {
  const next = { ...state };
  for (const [key, value] of Object.entries(batch)) {
    if (value === null) delete next[key];
    else next[key] = value;
  }
  return next;
}

/** The story: sequences of up to 30 steps on one driver, each with actors of its own. */
export async function modelStory(subject: StorageUnderTest, sequences: number): Promise<void> {
  let sequence = 0;
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    sequence += 1;
    const actors: ModelActor[] = [];
    for (let index = 0; index < ACTORS; index += 1)
      actors.push(await newActor(subject, `${sequence}-${index}`));
    for (const each of steps) await run(subject, actors, each);
    await restart(subject, actors);
    for (const each of actors) expect(await rowsOf(subject, each)).toEqual(each.durable);
  });
  await fc.assert(property, { numRuns: sequences });
}

async function newActor(subject: StorageUnderTest, key: string): Promise<ModelActor> {
  const created = await subject.directory.create({ namespace: "model", name: "actor", key: [key] });
  await created.durable;
  return new ModelActor(created.record);
}

async function run(subject: StorageUnderTest, actors: readonly ModelActor[], each: Step): Promise<void> {
  if (each.kind === "restart") return restart(subject, actors);
  if (each.kind === "crash") return crash(subject, actors);
  const model = actors[each.actor];
  if (model === undefined) return;
  if (each.kind === "reopen") {
    await model.writer?.store.close();
    expect(await rowsOf(subject, model)).toEqual(model.durable);
    return;
  }
  model.writer ??= await wake(subject, model);
  model.unsettled.push(each.rows);
  const { crashes } = model;
  const outcome = model.writer.put(each.rows).then((settled) => model.settle(settled, crashes));
  if (each.wait) await outcome;
}

async function wake(subject: StorageUnderTest, model: ModelActor): Promise<Writer> {
  const { generation } = await subject.directory.claim(model.record.id);
  return new Writer(await subject.storage.open(model.record, generation));
}

async function rowsOf(subject: StorageUnderTest, model: ModelActor): Promise<Record<string, string>> {
  model.writer = await wake(subject, model);
  return loadText(model.writer.store);
}

async function restart(subject: StorageUnderTest, actors: readonly ModelActor[]): Promise<void> {
  for (const each of actors) {
    await each.writer?.store.close();
    each.writer = undefined;
  }
  await subject.restart();
}

async function crash(subject: StorageUnderTest, actors: readonly ModelActor[]): Promise<void> {
  if (subject.crash === undefined) return restart(subject, actors);
  for (const each of actors) each.crashes += 1;
  await subject.crash();
  for (const each of actors) {
    const possible = each.possible();
    const found = await rowsOf(subject, each);
    expect(possible).toContainEqual(found);
    each.durable = found;
    each.unsettled = [];
  }
}
