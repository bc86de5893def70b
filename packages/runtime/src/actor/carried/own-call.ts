/** OwnCall: a call that the host makes itself: of a schedule that is due, or with a message of a queue. */
import type { FlowControl, FlowSink } from "../../ports/flow.ts";
import type { ActionCall, Reply } from "../../ports/instance.ts";
import { FunctionOutput, type Output } from "../../ports/output.ts";

const nothing = (): void => {};
const silence = (): Output => new FunctionOutput(0, nothing, nothing);

/** One call. What its code answers settles `done` in that very turn; nothing of it leaves the actor. */
export class OwnCall implements ActionCall, Reply {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly reply = this;
  readonly #settled = Promise.withResolvers<unknown>();

  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }

  /** What the code answered; rejects with what it failed with. */
  get done(): Promise<unknown> {
    return this.#settled.promise;
  }

  ok(output: unknown): Output {
    this.#settled.resolve(output);
    return silence();
  }

  error(error: unknown): Output {
    this.#settled.reject(error);
    return silence();
  }

  /** A result in items is taken to its end, and its items are nobody's. */
  flow(control: FlowControl): FlowSink<unknown> {
    const next = (): Output => {
      control.credit(1);
      return silence();
    };
    next();
    return { item: next, end: () => this.ok(undefined), error: (cause) => this.error(cause) };
  }
}
