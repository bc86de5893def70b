/**
 * ActorLink: the near end of a connection that one actor holds to another.
 *
 * What it sends is an output of the actor that holds it: it waits, in order, until what that actor wrote is durable.
 * What it gets runs as that actor, whichever actor's turn delivered it. It ends with the activation that opened it: the
 * next one opens its own, and an actor that nobody is connected to any more can sleep.
 */
import type { ClientLink, ClientLinkHandler } from "@troupe/client";
import { closeCodes, type Message } from "@troupe/protocol";
import type { Observer } from "../ports/observed.ts";

/** The actor whose code runs. */
export interface CallingActor extends Observer {
  readonly record: Observer["record"] & { readonly id: string; readonly namespace: string };
  /** Settles when what it wrote is durable; nothing when nothing is pending. */
  departure(): Promise<void> | undefined;
  /** Runs code as this actor. */
  enter<R>(fn: () => R): R;
  /** Calls `end` when this activation ends; returns what undoes it. Throws `actor.stopped` when it has ended. */
  atEnd(end: () => void): () => void;
}

/** A link of an actor's own. */
export class ActorLink implements ClientLink {
  readonly #link: ClientLink;
  readonly #actor: CallingActor;
  readonly #forget: () => void;
  /** Settles when everything sent so far is on the link; absent when it is. */
  #sending: Promise<void> | undefined;

  constructor(link: ClientLink, actor: CallingActor) {
    this.#link = link;
    this.#actor = actor;
    this.#forget = actor.atEnd(() => link.close(closeCodes.normal, "actor.stopped"));
  }

  attach(handler: ClientLinkHandler): void {
    this.#link.attach({
      message: (data) => this.#actor.enter(() => handler.message(data)),
      closed: (code, reason) => {
        this.#forget();
        this.#actor.enter(() => handler.closed(code, reason));
      },
    });
  }

  send(data: Message): void {
    this.#then(() => this.#link.send(data), this.#actor.departure());
  }

  close(code: number, reason: string): void {
    this.#then(() => this.#link.close(code, reason), undefined);
  }

  #then(step: () => void, wait: Promise<void> | undefined): void {
    if (this.#sending === undefined && wait === undefined) {
      step();
      return;
    }
    const sending = Promise.all([this.#sending, wait]).then(step, () => {
      // The actor's gate broke: nothing that it says leaves any more.
      this.#link.close(closeCodes.internal, "storage.commit_failed");
    });
    this.#sending = sending;
    void sending.then(() => {
      if (this.#sending === sending) this.#sending = undefined;
    });
  }
}
