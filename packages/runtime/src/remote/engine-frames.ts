/** What an engine says to a host, as frames. */
import type { TroupeError } from "@troupe/base";
import { type CarriedAsk, NO_PAYLOAD, toCarriedError } from "@troupe/protocol/actor/v1";
import { type EngineToHost, EngineToHostCodec } from "@troupe/protocol/host/v1";
import { storageErrors } from "../errors.ts";
import type { ActorWord } from "../ports/carried.ts";
import { remoteSqlErrors } from "../sql/remote-errors.ts";

/** A message. */
export function engineFrame(body: NonNullable<EngineToHost["body"]>): Uint8Array {
  return EngineToHostCodec.encode({ body });
}

/** The words to instances in frames, by the instances' numbers. */
export function wordsIn(frames: readonly Uint8Array[]): ReadonlyMap<number, readonly ActorWord[]> {
  const words = new Map<number, ActorWord[]>();
  for (const frame of frames) {
    const { body } = EngineToHostCodec.decode(frame);
    if (body?.$case !== "actor" || body.value.body === undefined) continue;
    const of = words.get(body.value.instance) ?? [];
    of.push(body.value.body);
    words.set(body.value.instance, of);
  }
  return words;
}

/** The answer to a question of an instance that doesn't run any more. */
export function fencedAnswer(instance: number, { ask, about }: CarriedAsk): ActorWord {
  const error = toCarriedError(fencedError(instance, about), "cbor");
  return { $case: "answer", value: { ask, error, rows: [], sql: NO_PAYLOAD, value: NO_PAYLOAD } };
}

/** SQL says so in words of its own. */
function fencedError(instance: number, about: CarriedAsk["about"]): TroupeError {
  const isSql = about?.$case.startsWith("sql") === true;
  return isSql ? remoteSqlErrors.fenceMismatch(instance) : storageErrors.fenced(String(instance));
}
