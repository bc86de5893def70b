/**
 * What a plugin asks of its host, at the host's end: whose call it is part of, and how the answer goes back. What is asked
 * for, and whether the plugin may, is the `PluginHost`'s to say.
 *
 * An answer is given at once, or when the host has it: what is open then is the host's to bound, and to end with the session.
 */
import {
  decodePayload,
  encodePayload,
  type PayloadEncoding,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import type { HostAsk, HostCall, HostFrame } from "@troupe/protocol/plugin/v1";
import { hostErrors } from "./host-errors.ts";
import { ToldScopes } from "./told-scopes.ts";

/** How code of a plugin's is called. */
export interface CodeOptions {
  readonly signal: AbortSignal;
  /** The scope that it runs in: its propagation value, JSON text. Default: none. */
  readonly scope?: string;
  /** Default: what time it takes. */
  readonly timeoutMs?: number;
}

/** Calls code of a plugin's that question `call` is about. Rejects with what it throws. */
export type RunCode = (call: number, input: unknown, options: CodeOptions) => Promise<unknown>;

/** A question of a plugin's. */
export interface HostQuestion {
  /** The plugin's number; 0: it wants no answer. */
  readonly call: number;
  readonly ask: HostAsk;
  /** Decoded, and nothing more is known of it. */
  readonly input: unknown;
  /** The call of middleware that it is part of; 0: of none. */
  readonly invoke: number;
  /** Calls the code that it is about, if it is about code: as often as its host likes, until it has an answer. */
  readonly run: (input: unknown, options: CodeOptions) => Promise<unknown>;
}

/** Answers one session's plugin. */
export interface PluginHost {
  /** What it may name: the session tells of the calls of its instances. */
  readonly scopes: ToldScopes;
  /** Call `invoke` of middleware begins, in the async context of whoever made it; it is told that scope, or none, which is empty. */
  began(invoke: number, scope: string): void;
  /** The answer, or a promise of it. Throws why there is none: `call_over` for a call that isn't going on. */
  answer(question: HostQuestion): unknown;
  /** The call is over: what was begun in it ends. A number that isn't going on is no error. */
  over(invoke: number): void;
  /** The session is over: all ends. */
  end(): void;
}

/** A host that knows nothing. */
class Nobody implements PluginHost {
  readonly scopes = new ToldScopes();
  began(): void {}
  answer(): never {
    throw hostErrors.noRelay();
  }
  over(): void {}
  end(): void {}
}

/** What the questions of one session need of it. */
export interface QuestionParts {
  readonly host: PluginHost | undefined;
  readonly encoding: PayloadEncoding;
  readonly send: (frame: HostFrame) => void;
  readonly run: RunCode;
  /** Told why nothing came of a question that wants no answer. */
  readonly failed: (error: unknown) => void;
}

/** Those of one session. */
export class HostQuestions {
  readonly host: PluginHost;
  readonly #encoding: PayloadEncoding;
  readonly #send: (frame: HostFrame) => void;
  readonly #run: RunCode;
  readonly #unanswered: (error: unknown) => void;
  #over = false;

  constructor({ host = new Nobody(), encoding, send, run, failed }: QuestionParts) {
    this.host = host;
    // Raw payloads can't say anything but bytes.
    this.#encoding = encoding === "raw" ? "json" : encoding;
    this.#send = send;
    this.#run = run;
    this.#unanswered = failed;
  }

  /** Answers it. What it says can't be read is its error as well. */
  heard({ call, invoke, ask, payload }: HostCall): void {
    try {
      const input = decodePayload(payload, this.#encoding);
      const run: HostQuestion["run"] = (given, options) => this.#run(call, given, options);
      const answer = this.host.answer({ call, ask, invoke, input, run });
      if (answer instanceof Promise) void this.#later(call, answer);
      else this.#answered(call, answer);
    } catch (error) {
      this.#failed(call, error);
    }
  }

  /** The session is over: nothing is answered any more. */
  end(): void {
    this.#over = true;
    this.host.end();
  }

  async #later(call: number, answer: Promise<unknown>): Promise<void> {
    try {
      this.#answered(call, await answer);
    } catch (error) {
      this.#failed(call, error);
    }
  }

  #answered(call: number, answer: unknown): void {
    const payload = encodePayload(answer, this.#encoding, "answer");
    if (call !== 0) this.#say({ call, payload, error: undefined });
  }

  #failed(call: number, error: unknown): void {
    if (this.#over) return;
    if (call === 0) this.#unanswered(error);
    else this.#say({ call, payload: NOTHING, error: toCarriedError(error, this.#encoding) });
  }

  #say(value: Extract<NonNullable<HostFrame["body"]>, { $case: "hostResult" }>["value"]): void {
    if (!this.#over) this.#send({ body: { $case: "hostResult", value } });
  }
}

const NOTHING = new Uint8Array(0);
