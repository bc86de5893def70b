/**
 * The words that start carried code. An actor whose rows are more than one message holds gets them in several: Start with
 * the first ones, and StartRows until the last. Nothing else is said between them, and the code starts behind the last.
 *
 * Code that doesn't declare that it reads StartRows gets one Start whatever its size: half of the rows would be taken
 * for all of them. Where that is more than the carrier moves, the carrier's owner says so.
 */
import { limits } from "@troupe/protocol";
import {
  type CarriedRow,
  encodePayload,
  NO_PAYLOAD,
  type Sleeper,
  type Start,
} from "@troupe/protocol/actor/v1";
import type { ActorCarrier, ActorWord } from "../../ports/carried.ts";
import type { InstanceOpen } from "../../ports/instance.ts";
import { isCodes, toCarriedRows } from "./rows.ts";

/** What a row, or a Start without rows, has around its texts and bytes at the most. */
const AROUND_BYTES = 64;

/** What an activation says first to its code. */
export function firstWords(
  request: InstanceOpen,
  carrier: ActorCarrier,
  sleepers: readonly Sleeper[] = [],
): readonly ActorWord[] {
  const { record, generation, isNew, input, rows } = request;
  const { declaration, encoding, startBytes: mostBytes = limits.batchBytes } = carrier;
  const start: Start = {
    name: record.name,
    key: record.key,
    actorId: record.id,
    generation,
    createdAt: record.createdAt,
    isNew,
    input: input === undefined ? NO_PAYLOAD : encodePayload(input, encoding),
    rows: toCarriedRows(declaration.kept === true ? rows.filter(isCodes) : rows, encoding),
    actor: declaration.name,
    moreRows: false,
  };
  const words = startWords(start, declaration.startRows ? mostBytes : Infinity);
  return sleepers.length === 0 ? words : withSleepers(words, sleepers, mostBytes);
}

/** The same words, and behind them those that name the clients which stayed. */
function withSleepers(
  words: readonly ActorWord[],
  sleepers: readonly Sleeper[],
  mostBytes: number,
): readonly ActorWord[] {
  const before = words.map((word): ActorWord => {
    if (word.$case === "start") return { ...word, value: { ...word.value, moreRows: true } };
    return word.$case === "startRows" ? { ...word, value: { ...word.value, last: false } } : word;
  });
  const parts: Sleeper[][] = [[]];
  let left = mostBytes;
  for (const sleeper of sleepers) {
    const bytes = sleeperBytes(sleeper);
    if (bytes > left) {
      parts.push([]);
      left = mostBytes;
    }
    parts.at(-1)?.push(sleeper);
    left -= bytes;
  }
  const named = parts.map((part, at): ActorWord => {
    return { $case: "startRows", value: { rows: [], last: at === parts.length - 1, sleepers: part } };
  });
  return [...before, ...named];
}

/** The words of a start whose messages hold `mostBytes` each; one row more than that is a message of its own. */
export function startWords(start: Start, mostBytes: number): readonly ActorWord[] {
  const parts = split(start.rows, mostBytes - headBytes(start), mostBytes);
  const [first = []] = parts;
  const more = parts.length > 1;
  return [
    { $case: "start", value: { ...start, rows: first, moreRows: more } },
    ...parts.slice(1).map((rows, at): ActorWord => {
      return { $case: "startRows", value: { rows, last: at === parts.length - 2, sleepers: [] } };
    }),
  ];
}

/** A start's bytes, or a little more. */
export function startBytes(start: Start): number {
  return start.rows.reduce((bytes, row) => bytes + rowBytes(row), headBytes(start));
}

function headBytes({ name, key, actorId, actor, input }: Start): number {
  const texts = [name, actorId, actor, ...key];
  return texts.reduce((bytes, text) => bytes + textBytes(text) + 8, AROUND_BYTES + input.byteLength);
}

function rowBytes({ key, blobKey, value }: CarriedRow): number {
  return AROUND_BYTES + textBytes(key) + blobKey.byteLength + value.byteLength;
}

function sleeperBytes({ id, params, state, url, headers, protocol }: Sleeper): number {
  const texts = [id, url, protocol, ...headers.flatMap(({ name, value }) => [name, value])];
  const around = AROUND_BYTES + 8 * headers.length;
  return texts.reduce(
    (bytes, text) => bytes + textBytes(text),
    around + params.byteLength + state.byteLength,
  );
}

/** UTF-8 has three bytes for a code unit at the most. */
function textBytes(text: string): number {
  return 3 * text.length;
}

function split(rows: readonly CarriedRow[], firstBytes: number, mostBytes: number): CarriedRow[][] {
  const parts: CarriedRow[][] = [[]];
  let left = firstBytes;
  for (const row of rows) {
    const bytes = rowBytes(row);
    if (bytes > left && (parts.length === 1 || left < mostBytes)) {
      parts.push([]);
      left = mostBytes;
    }
    parts.at(-1)?.push(row);
    left -= bytes;
  }
  return parts;
}
