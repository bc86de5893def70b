/**
 * What a guest's actor says: messages behind its own gate, which only waits for writes that are about to be handed on.
 */
import type { TroupeError } from "@troupe/base";
import { encodeCborUpTo, limits } from "@troupe/protocol";
import { type CarriedError, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { messageErrors } from "../errors.ts";
import type { ActorSaying } from "../ports/carried.ts";
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

  constructor(call: number, voice: ReplyVoice) {
    this.#call = call;
    this.#voice = voice;
  }

  ok(output: unknown): Output {
    const limit = limits.outgoingMessageBytes;
    const value = output === undefined ? NO_PAYLOAD : encodeCborUpTo(output, "output", limit);
    if (typeof value === "number" || value.byteLength > limit)
      throw messageErrors.outgoingTooLong(typeof value === "number" ? value : value.byteLength, limit);
    return this.#output(
      { $case: "reply", value: { call: this.#call, value, error: undefined } },
      value.byteLength,
    );
  }

  error(error: unknown): Output {
    return this.#output(this.#refusal(error), 64);
  }

  #output(saying: ActorSaying, bytes: number): Output {
    return new SayingOutput({ say: this.#voice.say, saying, bytes, failed: (error) => this.#refusal(error) });
  }

  #refusal(error: unknown): ActorSaying {
    return {
      $case: "reply",
      value: { call: this.#call, value: NO_PAYLOAD, error: this.#voice.error(error) },
    };
  }
}
