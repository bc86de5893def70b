/**
 * A session with one plugin: the same for every carrier.
 *
 *   openSession() ──▶ opening ── Ready, and it holds ──▶ open ── close() ──▶ closing ──▶ over
 *                        │                                ├── the carrier ended ──▶ over
 *                        │                                └── the plugin broke the contract ──▶ over
 *                        └── Failed, time-out, a bad Ready, the carrier ended ──▶ rejected, the carrier closed
 *
 * Who hears of an end: each running instance is `lost`, each call of middleware is rejected, and `ended` settles, all
 * with the one real cause, before anything else happens. A plugin can crash at any moment, also in the middle of
 * starting. What it had been asked then may have happened or not; nothing of ours is undone, for nothing durable is
 * with a plugin.
 *
 * What is wrong but harmless is dropped: words of instances and answers to calls that were closed or settled, pongs,
 * frames of a kind that this version doesn't know. What shows that the plugin lost count ends the session: a number
 * that was never given, a second Ready.
 */
import { type Env, type Logger, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  decodePayload,
  encodePayload,
  fromCarriedError,
  type PayloadEncoding,
} from "@troupe/protocol/actor/v1";
import {
  type HostCall,
  type HostFrame,
  type InvokeResult,
  type Log,
  type Next,
  OWN_CODE,
  type PluginFrame,
} from "@troupe/protocol/plugin/v1";
import type { ActorCarrier, CarriedDeclaration } from "@troupe/runtime";
import type { Carrier, CloseReport } from "../carrier.ts";
import { pluginErrors } from "../errors.ts";
import { forCallers } from "../inner-error.ts";
import { LogRate, linesDropped } from "../log-rate.ts";
import { within } from "../within.ts";
import { Arounds } from "./arounds.ts";
import { CallCounts } from "./call-counts.ts";
import { ChunkStreams, type ChunkWord } from "./chunk-streams.ts";
import type { PluginDeclarations } from "./declarations.ts";
import { GivenFailures } from "./given-failures.ts";
import { type CodeOptions, HostQuestions, type PluginHost } from "./host-questions.ts";
import { Invocations, type InvokeOptions } from "./invocations.ts";
import { type EndedStarts, Lines } from "./lines.ts";
import { writeLine } from "./log-line.ts";

/** What a session takes from the outside world. */
export type SessionEnv = Pick<Env, "clock" | "timers" | "log">;

/** What a session is made of. */
export interface SessionParts {
  readonly env: SessionEnv;
  readonly carrier: Carrier;
  readonly declared: PluginDeclarations;
  /** The longest frame to the plugin. Default: `limits.pluginFrameBytes`. */
  readonly frameBytes?: number | undefined;
  /** What answers the plugin's own questions. Default: nothing does. */
  readonly host?: PluginHost | undefined;
  /** Instances start one by one, until none waits. Default: false. */
  readonly oneByOne?: boolean | undefined;
}

/** What a frame has around the long part of a word to an actor, at the most: numbers and names. */
const AROUND_BYTES = 1024;

type State =
  | { readonly kind: "open" }
  | { readonly kind: "over"; readonly error: TroupeError; readonly closing: Promise<CloseReport> };

/** An open session. `openSession` makes it. */
export class PluginSession {
  readonly declared: PluginDeclarations;
  readonly counts = new CallCounts();
  readonly #env: SessionEnv;
  readonly #log: Logger;
  readonly #carrier: Carrier;
  readonly #startBytes: number;
  readonly #lines: Lines;
  readonly #invocations: Invocations;
  readonly #arounds: Arounds;
  readonly #given = new GivenFailures();
  readonly #questions: HostQuestions;
  readonly #logRate: LogRate;
  readonly #end = Promise.withResolvers<TroupeError | undefined>();
  #state: State = { kind: "open" };
  #saidUnknown = false;
  #endedStarts: EndedStarts = "none";

  constructor(parts: SessionParts) {
    const { env, carrier, declared } = parts;
    this.#startBytes = (parts.frameBytes ?? limits.pluginFrameBytes) - AROUND_BYTES;
    this.declared = declared;
    this.#env = env;
    this.#log = env.log.child({ plugin: declared.name });
    this.#logRate = new LogRate({
      timers: env.timers,
      linesPerSecond: limits.pluginLogLinesPerSecond,
      tell: (dropped) => this.#log.warn(linesDropped(dropped)),
    });
    this.#carrier = carrier;
    const send = (frame: HostFrame): void => carrier.send(frame);
    const { encoding } = declared;
    const streams = new ChunkStreams(encoding, (body) => send({ body }), this.#given);
    const questions = new HostQuestions({
      ...{ host: parts.host, encoding, send },
      run: (call, input, options) => this.#runCode(call, input, options),
      failed: (error) => {
        if (this.#logRate.take()) this.#log.warn("What the plugin asked for didn't happen", { error });
      },
    });
    this.#questions = questions;
    this.#lines = new Lines({
      ...{ encoding, counts: this.counts, scopes: questions.host.scopes },
      mostBytes: this.#startBytes,
      oneByOne: parts.oneByOne === true,
      send: (instance, body) => carrier.send({ body: { $case: "actor", value: { instance, body } } }),
    });
    this.#arounds = new Arounds(encoding, send, {
      ...{ streams, given: this.#given },
      over: (invoke) => questions.host.over(invoke),
    });
    const began = (invoke: number, scope: string): void => questions.host.began(invoke, scope);
    this.#invocations = new Invocations(env.timers, send, {
      arounds: this.#arounds,
      began,
      counts: this.counts,
      given: this.#given,
    });
  }

  /** False from the moment it is closed or lost. */
  get open(): boolean {
    return this.#state.kind === "open";
  }

  /** Why it is over; undefined while it is open. */
  get failure(): TroupeError | undefined {
    return this.#state.kind === "over" ? this.#state.error : undefined;
  }

  /** What was starting when the plugin ended. */
  get endedStarts(): EndedStarts {
    return this.#endedStarts;
  }

  /** Settles when the session is over: with what ended it, or undefined when that was `close`. Never rejects. */
  get ended(): Promise<TroupeError | undefined> {
    return this.#end.promise;
  }

  /** Running instances of all its actors. */
  get instances(): number {
    return this.#lines.size;
  }

  /**
   * One of the plugin's actors, for the runtime. Closing it closes the session: one that serves more than this actor
   * is closed by whoever opened it, and gives out carriers of its own. Throws `plugin.undeclared`.
   */
  actor(name: string): ActorCarrier {
    const declaration = this.#declarationOf(name);
    const isOpen = () => this.open;
    return {
      declaration,
      encoding: this.declared.encoding,
      startBytes: this.#startBytes,
      get open() {
        return isOpen();
      },
      connect: (ear) => {
        const line = this.#lines.connect(ear);
        if (this.#state.kind === "over") this.#lines.lose(forCallers(this.#state.error));
        return line;
      },
      soon: () => this.#carrier.soon?.(),
      close: async () => void (await this.close()),
    };
  }

  /**
   * Calls the plugin's middleware `name` of `kind` (a number of the relay's table) and gives its answer. Rejects with the
   * plugin's own error, `plugin.undeclared`, `plugin.call_timed_out`, `plugin.call_aborted`, `plugin.too_many_calls`,
   * `plugin.cannot_show` and `plugin.frame_too_long`, or with what ended the session.
   */
  async invoke(call: {
    readonly kind: number;
    readonly name: string;
    readonly payload: unknown;
    readonly options?: InvokeOptions;
  }): Promise<unknown> {
    if (this.#state.kind === "over") throw this.#state.error;
    const { kind, name, options = {} } = call;
    const { middleware, encoding } = this.declared;
    if (!middleware.some((one) => one.kind === kind && one.name === name))
      throw pluginErrors.undeclared(
        `middleware "${name}" of kind ${kind}`,
        middleware.map((one) => one.name),
      );
    return this.#invocations.start({ kind, name, payload: payloadOf(call.payload, encoding) }, options);
  }

  /** Sends all running instances to sleep, and waits for them, at most `timeoutMs`. New ones aren't kept out. */
  async drain(timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#env.timers.set(late.resolve, timeoutMs);
    await Promise.race([this.#lines.rest(), late.promise]);
    this.#env.timers.clear(timer);
  }

  /** Ends the session and the plugin, within `timeoutMs` and a second more. Asked again, the same promise. */
  close(timeoutMs: number = limits.pluginCloseTimeoutMs): Promise<CloseReport> {
    if (this.#state.kind === "open") {
      this.#carrier.send({ body: { $case: "goodbye", value: { reason: "the host closes the plugin" } } });
      this.#finish(pluginErrors.closed(), timeoutMs);
      this.#end.resolve(undefined);
    }
    return this.#closing();
  }

  /** A frame came. For `openSession`, which hears the carrier. */
  heard(frame: PluginFrame): void {
    if (this.#state.kind !== "open") return;
    const { body } = frame;
    switch (body?.$case) {
      case "actor":
        return this.#heardActor(body.value.instance, body.value.body);
      case "invokeResult":
        return this.#heardResult(body.value);
      case "next":
        return this.#heardNext(body.value);
      case "chunk":
      case "chunkEnd":
      case "chunkCredit":
        return this.#heardChunk(body);
      case "hostCall":
        return this.#heardHostCall(body.value);
      case "log":
        return this.#logLine(body.value);
      case "pong":
        return;
      case "ready":
      case "failed":
        return this.lost(pluginErrors.violation(`a second answer to Hello (${body.$case})`));
      case undefined:
        return this.#unknown("a frame");
    }
  }

  /** The carrier ended, or has to. For `openSession`. */
  lost(error: TroupeError): void {
    if (this.#state.kind !== "open") return;
    this.#log.error("The plugin ended", { error });
    this.#endedStarts = this.#lines.failStart(forCallers(error));
    this.#finish(error, limits.pluginCloseTimeoutMs);
    this.#end.resolve(error);
  }

  #heardActor(instance: number, saying: Parameters<Lines["heard"]>[1] | undefined): void {
    if (saying === undefined) return this.#unknown("an actor's message");
    if (this.#lines.heard(instance, saying) === "never_given")
      this.lost(pluginErrors.violation(`instance ${instance} was never started`));
  }

  #heardResult({ invoke, payload, error, stream }: InvokeResult): void {
    const { encoding } = this.declared;
    const read = () => {
      if (error !== undefined) {
        const given = this.#given.of(invoke, error);
        throw given === undefined ? fromCarriedError(error, encoding) : given.error;
      }
      return stream ? this.#arounds.answer(invoke) : decodePayload(payload, encoding);
    };
    const answered = this.#invocations.answer(invoke, read);
    if (answered === "never_asked") this.lost(pluginErrors.violation(`call ${invoke} was never made`));
    else if (answered === "settled" && (error !== undefined || !stream)) this.#arounds.end(invoke);
  }

  #heardNext(asked: Next): void {
    if (!this.#invocations.made(asked.invoke))
      return this.lost(pluginErrors.violation(`call ${asked.invoke} was never made`));
    try {
      this.#arounds.heardNext(asked);
    } catch (thrown) {
      this.lost(
        TroupeError.is(thrown)
          ? thrown
          : pluginErrors.violation("what it calls next with can't be read", thrown),
      );
    }
  }

  #heardHostCall(asked: HostCall): void {
    if (asked.invoke !== 0 && !this.#invocations.made(asked.invoke))
      return this.lost(pluginErrors.violation(`call ${asked.invoke} was never made`));
    this.#questions.heard(asked);
  }

  /** A tool or a model of the plugin's, which has what time it takes: whoever calls it gives it up. */
  async #runCode(call: number, input: unknown, options: CodeOptions): Promise<unknown> {
    if (this.#state.kind === "over") throw this.#state.error;
    const payload = payloadOf(input, this.declared.encoding);
    const code = { kind: OWN_CODE, name: String(call), payload };
    return await this.#invocations.start(code, { timeoutMs: Infinity, ...options });
  }

  #heardChunk(word: ChunkWord): void {
    // A stream that it answered has failed: so has its call, unless it gives on what has failed below it.
    if (word.$case === "chunkEnd" && word.value.next === 0 && word.value.error !== undefined) {
      const { invoke, error } = word.value;
      if (this.#given.of(invoke, error) === undefined) this.counts.failures += 1;
    }
    try {
      if (this.#arounds.heardChunk(word) === "uncredited")
        this.lost(pluginErrors.violation("a chunk that nobody had asked for"));
    } catch (thrown) {
      this.lost(pluginErrors.violation("a chunk that can't be read", thrown));
    }
  }

  /** A newer plugin may say more than we know. Once is enough to say so. */
  #unknown(what: string): void {
    if (this.#saidUnknown) return;
    this.#saidUnknown = true;
    this.#log.warn(`The plugin sent ${what} of a kind that this version doesn't know; such are dropped`);
  }

  #logLine(line: Log): void {
    if (this.#logRate.take()) writeLine(this.#log, line);
  }

  #declarationOf(name: string): CarriedDeclaration {
    const { actors } = this.declared;
    const declaration = actors.get(name);
    if (declaration === undefined) throw pluginErrors.undeclared(`actor "${name}"`, [...actors.keys()]);
    return declaration;
  }

  #finish(error: TroupeError, timeoutMs: number): void {
    const closing = Promise.withResolvers<CloseReport>();
    this.#state = { kind: "over", error, closing: closing.promise };
    this.#lines.lose(forCallers(error));
    this.#invocations.fail(error);
    this.#arounds.fail(error);
    this.#questions.end();
    this.#logRate.end();
    closing.resolve(closeCarrier(this.#env, this.#carrier, timeoutMs));
  }

  #closing(): Promise<CloseReport> {
    return this.#state.kind === "over" ? this.#state.closing : Promise.resolve({ clean: true });
  }
}

/** What the plugin is called with. Throws `plugin.cannot_show`, `plugin.frame_too_long`. */
function payloadOf(value: unknown, encoding: PayloadEncoding): Uint8Array {
  let payload: Uint8Array;
  try {
    payload = encodePayload(value, encoding);
  } catch (cause) {
    throw pluginErrors.cannotShow(cause);
  }
  if (payload.byteLength > limits.batchBytes)
    throw pluginErrors.frameTooLong(payload.byteLength, limits.batchBytes);
  return payload;
}

/** Closes a carrier. A carrier that doesn't keep its time, or fails, left something behind. */
export async function closeCarrier(
  env: SessionEnv,
  carrier: Carrier,
  timeoutMs: number,
): Promise<CloseReport> {
  try {
    return await within(env.timers, timeoutMs + limits.pluginCloseGraceMs, carrier.close(timeoutMs), () =>
      pluginErrors.ended(),
    );
  } catch (error) {
    env.log.warn("A plugin didn't close", { error });
    return { clean: false };
  }
}
