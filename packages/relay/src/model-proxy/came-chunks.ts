/**
 * CameChunks: how a provider wrote the chunks that intercepts go around, until they are written to the client.
 *
 * A chunk has lost its spelling when it is read: numbers that no double holds, spaces. One that comes back from the intercepts and says the
 * same is written as it came. They come back in their order, so one that was changed is taken for the next that hasn't come back.
 */
import { limits } from "@troupe/protocol";
import { repeatedKey } from "./repeated-key.ts";

/** A chunk, as it came. */
export interface CameChunk {
  readonly json: string;
  /** What stood in front of it: the name of its event, or what parts it from the element before. */
  readonly before: string;
}

/** What is written. */
export interface TakenChunk {
  /** It says the same. */
  readonly same?: CameChunk;
  /** It was this one, probably. */
  readonly like?: CameChunk;
}

interface Waiting extends CameChunk {
  /** As a chunk is written that has no spelling of its own. */
  readonly plain: string;
  readonly characters: number;
}

/** The chunks of one answer. */
export class CameChunks {
  readonly #waiting: Waiting[] = [];
  /** So many of them were changed, by all that is known. */
  #changed = 0;
  #characters = 0;

  add(chunk: unknown, { json, before }: CameChunk): void {
    const plain = JSON.stringify(chunk);
    // Of what is said twice an intercept was shown one.
    const known = repeatedKey(json) === undefined ? json : plain;
    const characters = known.length + plain.length;
    // Most are one text in both spellings, which is held once.
    this.#waiting.push({ json: known, before, plain: plain === known ? known : plain, characters });
    this.#characters += characters;
    while (
      this.#waiting.length > limits.gatewayChunksRemembered ||
      this.#characters > limits.gatewayChunkCharactersRemembered
    )
      this.#drop(1);
  }

  /** For the chunk that is written next: `plain` is its JSON. */
  take(plain: string): TakenChunk {
    const at = this.#waiting.findIndex((one) => one.plain === plain);
    const same = this.#waiting[at];
    if (same !== undefined) {
      this.#drop(at + 1);
      return { same };
    }
    const like = this.#waiting[this.#changed];
    if (like === undefined) return {};
    this.#changed += 1;
    return { like };
  }

  #drop(count: number): void {
    for (const { characters } of this.#waiting.splice(0, count)) this.#characters -= characters;
    this.#changed = Math.max(0, this.#changed - count);
  }
}
