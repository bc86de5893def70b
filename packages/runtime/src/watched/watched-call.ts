/**
 * WatchedCall: a call that somebody stands before: it has the words of the one behind it, and its answers pass through
 * whoever watches. What joins the port is passed on here, once for all who watch.
 */
import type { TroupeError } from "@troupe/base";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { ActionCall, ActorConnection, Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import type { Abandoned, CallChain } from "../ports/running-call.ts";
import type { Whole } from "../ports/whole.ts";

/** How a call ended that was thrown out of: what was thrown may be nothing at all, and is a failure all the same. */
export interface CallFailure {
  readonly error: unknown;
}

/** A call on its way through an actor, seen from outside. Its answers are those of the call that it stands for. */
export abstract class WatchedCall implements Whole<ActionCall>, Reply {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly send: ActionCall["send"];
  readonly connection: ActorConnection | undefined;
  readonly params: unknown;
  readonly request: (() => Request) | undefined;
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ticket: string | undefined;
  readonly caller: string | undefined;
  readonly chain: CallChain | undefined;
  readonly depth: number | undefined;
  readonly #call: ActionCall;

  constructor(call: ActionCall) {
    this.#call = call;
    this.name = call.name;
    this.args = call.args;
    this.send = call.send;
    this.connection = call.connection;
    this.params = call.params;
    this.request = call.request;
    this.until = call.until;
    this.idempotencyKey = call.idempotencyKey;
    this.ticket = call.ticket;
    this.caller = call.caller;
    this.chain = call.chain;
    this.depth = call.depth;
  }

  get trace(): string | undefined {
    return this.#call.trace;
  }

  get reply(): Reply {
    return this;
  }

  began(): void {
    this.#call.began?.();
  }

  onAbandoned(listener: Abandoned): void {
    this.#call.onAbandoned?.(listener);
  }

  ok(output: unknown): Output {
    return this.answered(this.#call.reply.ok(output), output, undefined);
  }

  error(error: unknown): Output {
    return this.answered(this.#call.reply.error(error), undefined, { error });
  }

  flow(control: FlowControl): FlowSink<unknown> {
    const sink = this.#call.reply.flow(control);
    return {
      item: (item) => sink.item(item),
      end: () => this.answered(sink.end(), undefined, undefined),
      error: (error) => this.answered(sink.error(error), undefined, { error }),
    };
  }

  /** The answer leaves, or never will. */
  abstract left(failure: TroupeError | undefined): void;

  /** The answer, or a stream's end, is made: what goes to the gate in its place. */
  protected abstract answered(output: Output, result: unknown, failure: CallFailure | undefined): Output;
}

/** An answer that tells when it leaves. */
export class WatchedOutput extends Output {
  readonly #output: Output;
  readonly #call: WatchedCall;

  constructor(output: Output, call: WatchedCall) {
    super();
    this.#output = output;
    this.#call = call;
  }

  get bytes(): number {
    return this.#output.bytes;
  }

  release(): void {
    this.#output.release();
    this.#call.left(undefined);
  }

  fail(error: TroupeError): void {
    this.#output.fail(error);
    this.#call.left(error);
  }
}
