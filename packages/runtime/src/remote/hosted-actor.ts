/** HostedActor: the way to one actor that a remote host has. */
import { fromCarriedError, type PayloadEncoding } from "@troupe/protocol/actor/v1";
import type { ActorCarrier, ActorEar, ActorLine, CarriedDeclaration, SqlTurns } from "../ports/carried.ts";
import { remoteErrors } from "./errors.ts";

/** What it needs of its host's session. */
export interface HostedActorSession {
  readonly open: boolean;
  carrier(name: string): ActorCarrier | undefined;
  sqlTurns(): SqlTurns;
  connect(ear: ActorEar, leave?: () => void): ActorLine;
}

/** One actor that a host runs. */
export class HostedActor implements ActorCarrier {
  readonly encoding: PayloadEncoding;
  readonly declaration: CarriedDeclaration;
  readonly #session: HostedActorSession;

  constructor(session: HostedActorSession, declaration: CarriedDeclaration) {
    this.#session = session;
    this.declaration = declaration;
    this.encoding = declaration.encoding ?? "cbor";
  }

  get open(): boolean {
    return this.#session.open && this.#session.carrier(this.declaration.name) === this;
  }

  sqlTurns(): SqlTurns {
    return this.#session.sqlTurns();
  }

  connect(ear: ActorEar, leave?: () => void): ActorLine {
    return this.#session.connect(hearing(ear), leave);
  }

  /** The host is not this actor's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Code that a plugin of the host carries may be lost while the host lives. Whose error it is, it is in CBOR. */
function hearing(ear: ActorEar): ActorEar {
  return {
    heard: (saying) => {
      if (saying.$case !== "lost") return ear.heard(saying);
      const { error } = saying.value;
      ear.lost(
        error === undefined ? remoteErrors.malformed("Lost has no error") : fromCarriedError(error, "cbor"),
      );
    },
    lost: (error, unsent) => ear.lost(error, unsent),
  };
}
