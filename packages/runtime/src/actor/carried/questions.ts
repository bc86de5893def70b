/**
 * What carried code asks of the runtime, and the answers. Several may be open at once; each has its own answer, in
 * whatever order they come.
 */
import { limits } from "@troupe/protocol";
import {
  type CarriedAnswer,
  type CarriedAsk,
  type CarriedRow,
  type KvGet,
  type KvList,
  type OwnGet,
  type OwnList,
  SqlTurn,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import { rowBoundOf, rowKeyOf } from "../../kv/kv-key.ts";
import { KV_END } from "../../ports/storage.ts";
import type { CarriedActivation } from "./activation.ts";
import { keptAnswer } from "./kept-answers.ts";
import { checkOwnLazyKey, toCarriedRows } from "./rows.ts";

type Answered = Partial<Omit<CarriedAnswer, "ask">>;

/** Answers one question. Never rejects. */
export async function answer(activation: CarriedActivation, ask: CarriedAsk): Promise<void> {
  const turn = turnOf(ask);
  let answered: Answered;
  try {
    const asked = (): Promise<Answered> => ofAsk(activation, ask);
    answered = await (turn === undefined ? asked() : activation.sql.turns.run(turn, asked));
  } catch (cause) {
    answered = { error: toCarriedError(cause, activation.encoding) };
  }
  say(activation, ask, turn === undefined ? answered : { ...answered, wrote: activation.gate.wrote });
}

/** Undefined for a question whose answer brings a turn of its own. */
function turnOf({ about }: CarriedAsk): SqlTurn | undefined {
  switch (about?.$case) {
    case "sqlExecute":
    case "sqlBatch":
      return about.value.turn || undefined;
    // It has kept the batch open itself: who waits for the next one would wait for this.
    case "sqlEnd":
      return about.value.turn && SqlTurn.CONTINUED;
    default:
      return undefined;
  }
}

function say(activation: CarriedActivation, { ask }: CarriedAsk, answered: Answered): void {
  activation.say({
    $case: "answer",
    value: { ask, error: undefined, rows: [], sql: NOTHING, value: NOTHING, ...answered },
  });
}

const NOTHING = new Uint8Array(0);

async function ofAsk(activation: CarriedActivation, ask: CarriedAsk): Promise<Answered> {
  switch (ask.about?.$case) {
    case "barrier":
      await activation.durable();
      return {};
    case "kvGet":
      return { rows: await valuesOf(activation, ask.about.value) };
    case "kvList":
      return { rows: await listOf(activation, ask.about.value) };
    case "ownGet":
      return { rows: await ownValuesOf(activation, ask.about.value) };
    case "ownList":
      return { rows: await ownListOf(activation, ask.about.value) };
    case "actorCall":
      return { value: await activation.outward.call(ask.about.value, ask.ask) };
    case "sqlExecute":
      return { sql: await activation.sql.execute(ask.about.value) };
    case "sqlBatch":
      return { sql: await activation.sql.batch(ask.about.value, (sql) => say(activation, ask, { sql })) };
    case "sqlBegin":
      await activation.sql.begin(ask.about.value);
      return {};
    case "sqlEnd":
      await activation.sql.end(ask.about.value);
      return {};
    case "kept":
      return { value: await keptAnswer(activation, ask.about.value) };
    default:
      throw actorErrors.notCarried("a question that this runtime doesn't know");
  }
}

/** Those that are there, each with its key. */
async function valuesOf(activation: CarriedActivation, { keys }: KvGet): Promise<CarriedRow[]> {
  return await found(activation, keys.map(rowKeyOf));
}

async function ownValuesOf(activation: CarriedActivation, { keys }: OwnGet): Promise<CarriedRow[]> {
  for (const key of keys) checkOwnLazyKey(key);
  return await found(activation, keys);
}

async function ownListOf(activation: CarriedActivation, range: OwnList): Promise<CarriedRow[]> {
  checkOwnLazyKey(range.start);
  checkOwnLazyKey(range.end);
  const limit = Math.min(range.limit, limits.kvListEntries + 1);
  return toCarriedRows(await activation.list({ ...range, limit }), activation.encoding);
}

async function found(activation: CarriedActivation, rowKeys: readonly string[]): Promise<CarriedRow[]> {
  const values = await activation.read(rowKeys);
  const rows = rowKeys.flatMap((key, index) => {
    const value = values[index];
    return value === undefined ? [] : [{ key, value }];
  });
  return toCarriedRows(rows, activation.encoding);
}

async function listOf(
  activation: CarriedActivation,
  { start, end, limit, reverse }: KvList,
): Promise<CarriedRow[]> {
  const rows = await activation.list({
    start: rowBoundOf(start),
    end: end.byteLength === 0 ? KV_END : rowBoundOf(end),
    // One more than a list may have: whoever asks sees that there is more.
    limit: Math.min(limit, limits.kvListEntries + 1),
    reverse,
  });
  return toCarriedRows(rows, activation.encoding);
}
