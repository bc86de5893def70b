/** Calls of actors to others of their process. */
import type { TroupeError } from "@troupe/base";
import { cloneValue, type SendOptions } from "@troupe/protocol";
import type { ActorRecord } from "../ports/directory.ts";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { ActionCall, Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import type { Abandoned, CallChain } from "../ports/running-call.ts";
import { type CallDoor, type CallFigures, type CallOutcome, outcomeOf } from "./call-figures.ts";
import { LocalFlow } from "./call-flows.ts";
import { type CallerTerms, failure } from "./calls.ts";
import { localError } from "./local-error.ts";

/** What goes with a call from one actor to another. */
export interface LocalTerms extends CallerTerms {
  /** The calling actor, if it is one. */
  readonly caller: string | undefined;
  readonly chain: CallChain | undefined;
  readonly depth: number;
  readonly onAbandoned: ((listener: Abandoned) => void) | undefined;
}

/** Where a call is counted, and as whose. */
export interface Counted {
  readonly figures: CallFigures;
  readonly actor: ActorRecord;
  /** When it came, as the figures tell it. */
  readonly came: number;
}

/** A call from another actor of this process: values are copied, never shared. */
export class LocalCall extends Output implements ActionCall, Reply {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly params: unknown;
  readonly connection = undefined;
  readonly bytes = 256;
  readonly send: SendOptions | undefined;
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ticket: string | undefined;
  readonly caller: string | undefined;
  readonly chain: CallChain | undefined;
  readonly depth: number;
  readonly #abandoned: ((listener: Abandoned) => void) | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #afterTurn: (task: () => void) => void;
  readonly #counted: Counted | undefined;
  #outcome: { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

  constructor(options: {
    name: string;
    args: readonly unknown[];
    params: unknown;
    terms: LocalTerms;
    /** Default: nowhere. */
    counted?: Counted;
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
    afterTurn: (task: () => void) => void;
    send?: SendOptions | undefined;
  }) {
    super();
    this.send = options.send;
    this.until = options.terms.until;
    this.idempotencyKey = options.terms.idempotencyKey;
    this.ticket = options.terms.ticket;
    this.caller = options.terms.caller;
    this.chain = options.terms.chain;
    this.depth = options.terms.depth;
    this.#abandoned = options.terms.onAbandoned;
    this.name = options.name;
    this.args = options.args;
    this.params = options.params;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
    this.#afterTurn = options.afterTurn;
    this.#counted = options.counted;
    this.#outcome = { ok: true, value: undefined };
  }

  get reply(): Reply {
    return this;
  }

  onAbandoned(listener: Abandoned): void {
    this.#abandoned?.(listener);
  }

  ok(output: unknown): Output {
    this.#outcome = { ok: true, value: cloneValue(output, "output") };
    return this;
  }

  error(error: unknown): Output {
    this.#outcome = { ok: false, error: localError(error) };
    return this;
  }

  flow(control: FlowControl): FlowSink<unknown> {
    this.#ended("stream");
    return new LocalFlow(control, {
      resolve: this.#resolve,
      reject: this.#reject,
      afterTurn: this.#afterTurn,
    });
  }

  release(): void {
    if (this.#outcome.ok) {
      this.#ended("ok");
      this.#resolve(this.#outcome.value);
    } else {
      this.#ended(outcomeOf(this.#outcome.error));
      this.#reject(this.#outcome.error);
    }
  }

  fail(error: TroupeError): void {
    this.#ended(outcomeOf(error));
    this.#reject(localError(failure(error, this.send)));
  }

  #ended(outcome: CallOutcome): void {
    if (this.#counted === undefined || this.send !== undefined) return;
    const { figures, actor, came } = this.#counted;
    figures.ended(actor, doorOf(this), outcome, came);
  }
}

/** Which of this process's callers it is. */
export function doorOf({ caller }: Pick<LocalTerms, "caller">): CallDoor {
  return caller === undefined ? "program" : "actor";
}
