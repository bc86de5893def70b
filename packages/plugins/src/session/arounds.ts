/**
 * Calls of middleware that goes around the rest of a call, at the host's end: the plugin asks for the rest by `Next`, as often
 * as it likes, until it has answered and the stream that it answered has ended.
 *
 * What it asks for later gets an error as its answer, and runs nothing: the call that it was part of is over.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  decodePayload,
  encodePayload,
  type PayloadEncoding,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import type { HostFrame, Next } from "@troupe/protocol/plugin/v1";
import { pluginErrors } from "../errors.ts";
import { type ChunkHeard, type ChunkStreams, type ChunkWord, streamOf } from "./chunk-streams.ts";
import type { GivenFailures } from "./given-failures.ts";

/** The rest of a call. */
export interface Around {
  readonly next: (input: unknown) => Promise<unknown>;
  /** What it gives, and what the middleware answers, is a stream. */
  readonly stream: boolean;
}

interface Running extends Around {
  waiting: number;
}

/** What those of one session share with it. */
export interface AroundParts {
  readonly streams: ChunkStreams;
  readonly given: GivenFailures;
  /** A call of any middleware is over, with the stream that it answered. May be told twice. */
  readonly over: (invoke: number) => void;
}

/** Those of one session. */
export class Arounds {
  readonly #encoding: PayloadEncoding;
  readonly #send: (frame: HostFrame) => void;
  readonly #streams: ChunkStreams;
  readonly #given: GivenFailures;
  readonly #over: (invoke: number) => void;
  readonly #running = new Map<number, Running>();

  constructor(encoding: PayloadEncoding, send: (frame: HostFrame) => void, parts: AroundParts) {
    this.#encoding = encoding;
    this.#send = send;
    this.#streams = parts.streams;
    this.#given = parts.given;
    this.#over = parts.over;
  }

  begin(invoke: number, around: Around): void {
    this.#running.set(invoke, { ...around, waiting: 0 });
  }

  /** A call is over, whether it went around something or not; `cause` is for those who still read one of its streams. */
  end(invoke: number, cause: unknown = pluginErrors.nextRevoked()): void {
    if (this.#running.delete(invoke)) this.#streams.end(invoke, cause);
    this.#given.end(invoke);
    this.#over(invoke);
  }

  /** The stream that the middleware answered; the call is over when it is. Throws `plugin.violation`. */
  answer(invoke: number): AsyncIterable<unknown> {
    if (this.#running.get(invoke)?.stream !== true)
      throw pluginErrors.violation("it answered a stream where none was asked for");
    return this.#streams.read({ invoke, next: 0 }, () => this.end(invoke));
  }

  /** Throws `plugin.violation` for one that asks for more at once than it may. */
  heardNext({ invoke, next, payload }: Next): void {
    const running = this.#running.get(invoke);
    if (running === undefined) return this.#refuse({ invoke, next }, pluginErrors.nextRevoked());
    if (running.waiting >= limits.pluginNexts)
      throw pluginErrors.violation(`more than ${limits.pluginNexts} calls of next wait for answers`);
    running.waiting += 1;
    // Read now: its bytes are the carrier's.
    const input = decodePayload(payload, this.#encoding);
    void this.#next({ invoke, next }, running, input).finally(() => {
      running.waiting -= 1;
    });
  }

  heardChunk(word: ChunkWord): ChunkHeard {
    return this.#streams.heard(word);
  }

  /** The session is over. */
  fail(error: TroupeError): void {
    this.#running.clear();
    this.#given.clear();
    this.#streams.fail(error);
  }

  async #next(name: { invoke: number; next: number }, running: Running, input: unknown): Promise<void> {
    try {
      const value = await running.next(input);
      if (!this.#running.has(name.invoke)) return;
      if (running.stream) {
        const chunks = streamOf(value, "the rest of the call");
        this.#say(name, { stream: true });
        await this.#streams.write(name, chunks);
      } else {
        this.#say(name, { payload: this.#payloadOf(value) });
      }
    } catch (error) {
      this.#refuse(name, error);
    }
  }

  #refuse(name: { invoke: number; next: number }, error: unknown): void {
    const carried = toCarriedError(error, this.#encoding);
    if (this.#running.has(name.invoke)) this.#given.add(name.invoke, error, carried);
    this.#say(name, { error: carried });
  }

  /** What the plugin can't be shown is nobody's failure, and least of all its own. */
  #payloadOf(value: unknown): Uint8Array {
    try {
      return encodePayload(value, this.#encoding);
    } catch (cause) {
      throw pluginErrors.cannotShow(cause);
    }
  }

  #say(
    { invoke, next }: { invoke: number; next: number },
    said: Partial<Extract<NonNullable<HostFrame["body"]>, { $case: "nextResult" }>["value"]>,
  ): void {
    const value = { invoke, next, payload: NOTHING, error: undefined, stream: false, ...said };
    this.#send({ body: { $case: "nextResult", value } });
  }
}

const NOTHING = new Uint8Array(0);
