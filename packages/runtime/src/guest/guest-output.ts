/**
 * What a guest's actor says: messages behind its own gate, which only waits for writes that are about to be handed on.
 */
import { TroupeError } from "@troupe/base";
import { encodeCborToPass, limits } from "@troupe/protocol";
import { type CarriedError, type CarriedReply, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { messageErrors, notRetryable } from "../errors.ts";
import type { ActorSaying } from "../ports/carried.ts";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";

/** Sends a message on its way. */
export type Say = (saying: ActorSaying) => void;

/** A message that leaves when its turn has come. */
export class SayingOutput extends Output {
  readonly bytes: number;
  readonly #say: Say;
  readonly #saying: ActorSaying;
  readonly #failed: ((error: TroupeError) => ActorSaying) | undefined;

  constructor(options: {
    say: Say;
    saying: ActorSaying;
    bytes: number;
    /** What is said when it can't leave. */
    failed?: (error: TroupeError) => ActorSaying;
  }) {
    super();
    this.#say = options.say;
    this.#saying = options.saying;
    this.bytes = options.bytes;
    this.#failed = options.failed;
  }

  release(): void {
    this.#say(this.#saying);
  }

  fail(error: TroupeError): void {
    if (this.#failed !== undefined) this.#say(this.#failed(error));
  }
}

/** What an answer is said with. */
export interface ReplyVoice {
  readonly say: Say;
  /** The message for an error that leaves. */
  error(cause: unknown): CarriedError;
}

/** The reply of one call. */
export class GuestReply implements Reply {
  readonly #call: number;
  readonly #voice: ReplyVoice;
  readonly #flows: Map<number, FlowControl>;
  readonly #answered: () => void;
  #begun = false;

  /** `flows` gets the actor's end of a result that comes in items, for as long as it flows. */
  constructor(
    call: number,
    voice: ReplyVoice,
    of: { flows: Map<number, FlowControl>; answered: () => void },
  ) {
    this.#call = call;
    this.#voice = voice;
    this.#flows = of.flows;
    this.#answered = of.answered;
  }

  /** Its message is in the queue. */
  began(): void {
    this.#begun = true;
  }

  ok(output: unknown): Output {
    const value = encodedWithin(output, "output");
    const reply = { call: this.#call, value, error: undefined, refused: false, begun: false };
    return this.#output({ $case: "reply", value: reply }, value.byteLength);
  }

  error(error: unknown): Output {
    return this.#output(this.#refusal(error), 64);
  }

  flow(control: FlowControl): FlowSink<unknown> {
    const call = this.#call;
    this.#flows.set(call, control);
    this.#voice.say({ $case: "streamStart", value: { call } });
    const last = (saying: ActorSaying): Output => {
      this.#flows.delete(call);
      return this.#output(saying, 64);
    };
    return {
      item: (item) => {
        const value = encodedWithin(item, "item");
        return this.#output({ $case: "streamItem", value: { call, value } }, value.byteLength);
      },
      end: () => last(this.#reply({})),
      error: (cause) => last(this.#refusal(cause)),
    };
  }

  #output(saying: ActorSaying, bytes: number): Output {
    this.#answered();
    return new SayingOutput({
      say: this.#voice.say,
      saying,
      bytes,
      failed: (error) => this.#refusal(notRetryable(error)),
    });
  }

  #refusal(error: unknown): ActorSaying {
    return this.#reply({
      error: this.#voice.error(error),
      // What ran is never told to be tried again.
      refused: TroupeError.is(error) && error.retryable === true,
      begun: this.#begun,
    });
  }

  #reply(answer: Partial<CarriedReply>): ActorSaying {
    const nothing = { value: NO_PAYLOAD, error: undefined, refused: false, begun: false };
    return { $case: "reply", value: { ...nothing, ...answer, call: this.#call } };
  }
}

/** A value that leaves. Throws `message.outgoing_too_long`, and group `value`. */
function encodedWithin(value: unknown, what: string): Uint8Array {
  if (value === undefined) return NO_PAYLOAD;
  const limit = limits.outgoingMessageBytes;
  const encoded = encodeCborToPass(value, what, limit);
  if (typeof encoded === "number" || encoded.byteLength > limit)
    throw messageErrors.outgoingTooLong(typeof encoded === "number" ? encoded : encoded.byteLength, limit);
  return encoded;
}
