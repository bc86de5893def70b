/**
 * The running instances of one session, by number.
 *
 * A number is never used twice, so what an instance says after its line was closed is known to be late and dropped,
 * and a number that was never given is a plugin that makes things up.
 */
import { TroupeError } from "@troupe/base";
import {
  type CarriedAsk,
  type CarriedError,
  CarriedStopReason,
  NO_PAYLOAD,
  type PayloadEncoding,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import type { ActorEar, ActorLine, ActorSaying, ActorWord } from "@troupe/runtime";
import { startBytes } from "@troupe/runtime/carried";
import { pluginErrors } from "../errors.ts";
import type { CallCounts } from "./call-counts.ts";
import { hostErrors } from "./host-errors.ts";
import { ToldCalls } from "./told-calls.ts";
import type { ToldScopes } from "./told-scopes.ts";

/** What became of something that an instance said. */
export type Heard = "delivered" | "late" | "never_given";

/** What lines are made of. */
export interface LinesOptions {
  /** Of the long part of a word. */
  readonly mostBytes: number;
  readonly encoding: PayloadEncoding;
  readonly send: (instance: number, word: ActorWord) => void;
  readonly counts: CallCounts;
  readonly scopes: ToldScopes;
  /** Several starts were under way when the plugin ended the last time: they go one by one, until none waits. */
  readonly oneByOne: boolean;
}

/** What was starting when the plugin ended, or waited for its turn. */
export type EndedStarts = "none" | "one" | "several";

interface Line {
  readonly ear: ActorEar;
  /** The scopes that its calls were told. */
  readonly told: ToldCalls;
}

/** Lines of instances. */
export class Lines {
  readonly #mostBytes: number;
  readonly #encoding: PayloadEncoding;
  readonly #send: (instance: number, word: ActorWord) => void;
  readonly #counts: CallCounts;
  readonly #scopes: ToldScopes;
  readonly #lines = new Map<number, Line>();
  /** They were told to start, and haven't said how that went. */
  readonly #starting = new Set<number>();
  /** Starts that wait for the one before them, by instance. */
  readonly #waiting = new Map<number, ActorWord>();
  #oneByOne: boolean;
  #last = 0;
  #emptied: (() => void) | undefined;

  constructor(options: LinesOptions) {
    this.#mostBytes = options.mostBytes;
    this.#encoding = options.encoding;
    this.#send = options.send;
    this.#counts = options.counts;
    this.#scopes = options.scopes;
    this.#oneByOne = options.oneByOne;
  }

  get size(): number {
    return this.#lines.size;
  }

  connect(ear: ActorEar): ActorLine {
    this.#last += 1;
    const instance = this.#last;
    this.#lines.set(instance, { ear, told: new ToldCalls(instance, this.#scopes) });
    return {
      send: (word) => this.#say(instance, word),
      close: () => this.#gone(instance),
    };
  }

  /** Each instance is told of as one that wants to sleep. Settles when none is left. */
  async rest(): Promise<void> {
    const sleep: ActorSaying = { $case: "end", value: { reason: CarriedStopReason.SLEEP } };
    for (const instance of this.#lines.keys()) this.heard(instance, sleep);
    if (this.#lines.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    await promise;
  }

  #gone(instance: number): void {
    this.#lines.get(instance)?.told.end();
    this.#lines.delete(instance);
    this.#waiting.delete(instance);
    this.#startsNoMore(instance);
    if (this.size === 0) this.#emptied?.();
  }

  /** What is longer than a frame gets its answer here: that is the end of one start or call, not the plugin's. */
  #say(instance: number, word: ActorWord): void {
    const line = this.#lines.get(instance);
    if (line === undefined) return;
    if (word.$case === "call") {
      this.#counts.calls += 1;
      line.told.began(word.value.call, word.value.trace, this.size);
    } else if (word.$case === "start") {
      if (this.#oneByOne && this.#starting.size > 0) return void this.#waiting.set(instance, word);
      this.#starting.add(instance);
    }
    const bytes = bytesOf(word);
    if (bytes <= this.#mostBytes) return this.#send(instance, word);
    const error = toCarriedError(pluginErrors.frameTooLong(bytes, this.#mostBytes), this.#encoding);
    // Whoever speaks doesn't expect an answer before it has finished.
    queueMicrotask(() => this.heard(instance, answerTo(word, error)));
  }

  /** An ear that throws loses its line, and no other: the damage is that actor's. */
  heard(instance: number, saying: ActorSaying): Heard {
    const line = this.#lines.get(instance);
    if (line === undefined) return instance > 0 && instance <= this.#last ? "late" : "never_given";
    const { ear, told } = line;
    if (saying.$case === "reply") {
      told.over(saying.value.call);
      if (saying.value.error !== undefined) this.#counts.failures += 1;
    } else if (saying.$case === "started") this.#startsNoMore(instance);
    else if (saying.$case === "ask") {
      const refusal = this.#refusalOf(instance, saying.value);
      if (refusal !== undefined) {
        this.#answer(instance, saying.value.ask, refusal);
        return "delivered";
      }
    }
    try {
      ear.heard(saying);
    } catch (thrown) {
      this.#gone(instance);
      ear.lost(
        TroupeError.is(thrown) ? thrown : pluginErrors.violation("what it said can't be used", thrown),
      );
    }
    return "delivered";
  }

  /** Why a question can't be asked: a call in a scope that isn't the instance's to name. */
  #refusalOf(instance: number, { about }: CarriedAsk): unknown {
    if (about?.$case !== "actorCall") return undefined;
    const { trace } = about.value;
    try {
      return trace === "" || this.#scopes.isKnown(trace, instance)
        ? undefined
        : hostErrors.scopeUnknown(trace);
    } catch (malformed) {
      return malformed;
    }
  }

  /** Whoever asks doesn't expect an answer before it has finished. */
  #answer(instance: number, ask: number, refusal: unknown): void {
    const error = toCarriedError(refusal, this.#encoding);
    const answer = { ask, error, rows: [], sql: NO_PAYLOAD, value: NO_PAYLOAD };
    queueMicrotask(() => this.#say(instance, { $case: "answer", value: answer }));
  }

  /** The next of those that wait has its turn. */
  #startsNoMore(instance: number): void {
    if (!this.#starting.delete(instance)) return;
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#oneByOne = false;
      return;
    }
    this.#waiting.delete(next[0]);
    this.#say(...next);
  }

  /**
   * A start that was under way alone is what ended the plugin, as far as anybody knows, and would end the next one too: it has
   * failed, and whoever waits for it isn't to try again. Of several nobody knows which; whoever waits for one may, as with
   * any line that is lost, and the next session has them one by one.
   */
  failStart(error: TroupeError): EndedStarts {
    const [instance, another] = this.#starting;
    if (instance === undefined) return "none";
    if (another !== undefined) return "several";
    // Nobody else's turn comes in this session: those who wait have theirs in the next.
    const alone = this.#waiting.size === 0;
    this.#waiting.clear();
    const failed = toCarriedError(error, this.#encoding);
    this.heard(instance, { $case: "started", value: { error: failed, alarmAt: 0 } });
    return alone ? "one" : "several";
  }

  /** Every line is lost. One that is opened by someone who hears of it is lost as well. */
  lose(error: TroupeError): void {
    this.#waiting.clear();
    for (const [instance, { ear }] of this.#lines) {
      this.#gone(instance);
      ear.lost(error);
    }
  }
}

/** Of what may be long. */
function bytesOf(word: ActorWord): number {
  if (word.$case === "call") return word.value.args.byteLength + word.value.params.byteLength;
  return word.$case === "start" ? startBytes(word.value) : 0;
}

function answerTo(word: ActorWord, error: CarriedError): ActorSaying {
  if (word.$case === "call")
    return {
      $case: "reply",
      value: { call: word.value.call, value: NO_PAYLOAD, error, refused: true, begun: false },
    };
  return { $case: "started", value: { error, alarmAt: 0 } };
}
