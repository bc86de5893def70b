/** HostedActor: the way to one actor that a remote host has. */
import type { ActorCarrier, ActorEar, ActorLine, CarriedDeclaration, SqlTurns } from "../ports/carried.ts";

/** What it needs of its host's session. */
export interface HostedActorSession {
  readonly open: boolean;
  carrier(name: string): ActorCarrier | undefined;
  sqlTurns(): SqlTurns;
  connect(ear: ActorEar, leave?: () => void): ActorLine;
}

/** One actor that a host runs. */
export class HostedActor implements ActorCarrier {
  readonly encoding = "cbor";
  readonly declaration: CarriedDeclaration;
  readonly #session: HostedActorSession;

  constructor(session: HostedActorSession, declaration: CarriedDeclaration) {
    this.#session = session;
    this.declaration = declaration;
  }

  get open(): boolean {
    return this.#session.open && this.#session.carrier(this.declaration.name) === this;
  }

  sqlTurns(): SqlTurns {
    return this.#session.sqlTurns();
  }

  connect(ear: ActorEar, leave?: () => void): ActorLine {
    return this.#session.connect(ear, leave);
  }

  /** The host is not this actor's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
