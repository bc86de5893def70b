/** Code behind a carrier, played by the test: it says what the story tells it to, and hears what the runtime says. */
import { TroupeError } from "@troupe/base";
import { encodePayload, NO_PAYLOAD, type PayloadEncoding, Space } from "@troupe/protocol/actor/v1";
import type { CarriedNeed } from "../../src/actor/behaviour.ts";
import { carriedActor } from "../../src/actor/carried/definition.ts";
import type {
  ActorCarrier,
  ActorEar,
  ActorSaying,
  ActorWord,
  CarriedDeclaration,
} from "../../src/ports/carried.ts";

export const gone = new TroupeError("plugin", "lost", "The plugin's process ended", { statusCode: 502 });

type Word<K extends ActorWord["$case"]> = Extract<ActorWord, { readonly $case: K }>;

/** One opened carrier, with the words that its instances were sent. */
export class PlayedCarrier implements ActorCarrier {
  readonly encoding: PayloadEncoding;
  readonly declaration: CarriedDeclaration;
  readonly startBytes = 1_000;
  readonly words: ActorWord[] = [];
  /** The newest instance's. */
  ear: ActorEar | undefined;
  open = true;
  closed = 0;

  constructor(encoding: PayloadEncoding, declaration: Partial<CarriedDeclaration>) {
    this.encoding = encoding;
    this.declaration = {
      name: "played",
      actions: ["act", "other"],
      events: ["said"],
      options: {},
      connections: false,
      sockets: false,
      requests: false,
      database: false,
      startRows: true,
      guardedEvents: [],
      idempotency: false,
      serial: false,
      hibernation: false,
      optionsKept: [],
      ...declaration,
    };
  }

  connect(ear: ActorEar) {
    this.ear = ear;
    return { send: (word: ActorWord) => void this.words.push(word), close: () => {} };
  }

  close(): Promise<void> {
    this.closed += 1;
    this.open = false;
    return Promise.resolve();
  }

  say(...sayings: ActorSaying[]): void {
    for (const saying of sayings) this.ear?.heard(saying);
  }

  /** The last word of a kind; throws when there is none. */
  heard<K extends ActorWord["$case"]>(kind: K): Word<K> {
    const word = this.words.findLast((candidate): candidate is Word<K> => candidate.$case === kind);
    if (word === undefined) throw new Error(`no ${kind} among ${this.words.map((one) => one.$case).join()}`);
    return word;
  }

  started(): void {
    this.say({ $case: "started", value: { error: undefined, alarmAt: 0 } });
  }

  /** Says an event to all who listen. */
  event(name: string, args: unknown[], unconfirmed = false): void {
    const payload = encodePayload(args, this.encoding);
    this.say({ $case: "event", value: { name, args: payload, connections: [], unconfirmed, sequence: 0 } });
  }

  /** Writes a property of the state; undefined ends it. */
  write(property: string, value: unknown): void {
    const deleted = value === undefined;
    const row = { space: Space.STATE, key: property, blobKey: NO_PAYLOAD, deleted };
    const rows = [{ ...row, value: deleted ? NO_PAYLOAD : encodePayload(value, this.encoding) }];
    this.say({ $case: "write", value: { rows, alarmChanged: false, alarmAt: 0 } });
  }

  reply(value: unknown): void {
    const { call } = this.heard("call").value;
    this.say({
      $case: "reply",
      value: {
        call,
        value: encodePayload(value, this.encoding),
        error: undefined,
        refused: false,
        begun: false,
      },
    });
  }

  lose(): void {
    this.open = false;
    this.ear?.lost(gone);
  }
}

/** A definition whose carriers the test plays, in the order in which they are opened. */
export function played(
  encoding: PayloadEncoding = "json",
  declaration: Partial<CarriedDeclaration> = {},
  needs: readonly CarriedNeed[] = [],
) {
  const carriers: PlayedCarrier[] = [];
  const failures: unknown[] = [];
  const definition = carriedActor(
    async () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const carrier = new PlayedCarrier(encoding, declaration);
      carriers.push(carrier);
      return carrier;
    },
    { needs },
  );
  const newest = (): PlayedCarrier => {
    const carrier = carriers.at(-1);
    if (carrier === undefined) throw new Error("no carrier was opened");
    return carrier;
  };
  return { definition, carriers, failures, newest };
}
