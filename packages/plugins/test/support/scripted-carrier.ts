/** A carrier whose plugin is the test: what the host sent is kept, and the plugin says what the test says. */
import type { TroupeError } from "@troupe/base";
import { toCarriedError } from "@troupe/protocol/actor/v1";
import { encodingNumber, type HostFrame, type PluginFrame, type Ready } from "@troupe/protocol/plugin/v1";
import type { ActorEar, ActorSaying } from "@troupe/runtime";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../src/carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { settled, type Watched, type World, watch } from "./world.ts";

export type PluginSaying = NonNullable<PluginFrame["body"]>;

/** A Ready that holds: one actor and one guardrail. */
export function ready(changes: Partial<Ready> = {}): PluginSaying {
  return {
    $case: "ready",
    value: {
      version: 1,
      encoding: encodingNumber("json"),
      name: "scripted",
      pluginVersion: "1.2.3",
      actors: [declaredActor("counter")],
      middleware: [{ kind: 2, name: "guard", priority: 10 }],
      ...changes,
    },
  };
}

export function declaredActor(name: string, options = ""): Ready["actors"][number] {
  return {
    name,
    actions: ["increment"],
    events: ["changed"],
    consumed: [],
    deliveries: [],
    queues: [],
    options: new TextEncoder().encode(options),
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
    encoding: "",
  };
}

export class ScriptedCarrier implements Carrier {
  readonly sent: HostFrame[] = [];
  readonly #events: CarrierEvents;
  readonly #closed = Promise.withResolvers<CloseReport>();
  closes = 0;

  constructor(events: CarrierEvents) {
    this.#events = events;
  }

  send(frame: HostFrame): void {
    this.sent.push(frame);
  }

  close(): Promise<CloseReport> {
    this.closes += 1;
    return this.#closed.promise;
  }

  /** The plugin's end is done. */
  closed(clean = true): void {
    this.#closed.resolve({ clean });
    this.#events.ended(undefined);
  }

  crash(error: TroupeError | undefined): void {
    this.#events.ended(error);
  }

  say(body: PluginSaying): void {
    this.#events.frame({ body });
  }

  sayOf(instance: number, body: ActorSaying): void {
    this.say({ $case: "actor", value: { instance, body } });
  }

  sayNothing(): void {
    this.#events.frame({ body: undefined });
  }

  answer(invoke: number, outcome: { payload: string } | { error: unknown }): void {
    const failed = "error" in outcome;
    this.say({
      $case: "invokeResult",
      value: {
        invoke,
        payload: new TextEncoder().encode(failed ? "" : outcome.payload),
        error: failed ? toCarriedError(outcome.error, "json") : undefined,
        stream: false,
      },
    });
  }

  /** The kinds of the frames that the host sent. */
  get kinds(): string[] {
    return this.sent.map((frame) => frame.body?.$case ?? "nothing");
  }
}

/** Starts to open a session; the test decides when the carrier is there. */
export function opening(world: World): {
  readonly session: Watched<PluginSession>;
  readonly promise: Promise<PluginSession>;
  arrive(): Promise<ScriptedCarrier>;
  refuse(error: TroupeError): Promise<void>;
} {
  const made = Promise.withResolvers<Carrier>();
  let heard: CarrierEvents | undefined;
  const open: OpenCarrier = (events) => {
    heard = events;
    return made.promise;
  };
  const promise = openSession({ env: world, open, hostVersion: "0.0.0", config: new Uint8Array([123, 125]) });
  return {
    session: watch(promise),
    promise,
    arrive: async () => {
      if (heard === undefined) throw new Error("nobody opened the carrier");
      const carrier = new ScriptedCarrier(heard);
      made.resolve(carrier);
      await settled();
      return carrier;
    },
    refuse: async (error) => {
      made.reject(error);
      await settled();
    },
  };
}

/** A session that is open, and its carrier. */
export async function openScripted(
  world: World,
  changes: Partial<Ready> = {},
): Promise<{ session: PluginSession; carrier: ScriptedCarrier }> {
  const start = opening(world);
  const carrier = await start.arrive();
  carrier.say(ready(changes));
  return { session: await start.promise, carrier };
}

/** Who listens at a line: what was said, by kind, and what it was lost with. */
export class Ear implements ActorEar {
  readonly said: string[] = [];
  readonly #heard: ActorSaying[] = [];
  lostWith: string | undefined;
  failing = false;

  heard(saying: ActorSaying): void {
    if (this.failing) throw new Error("can't use that");
    this.said.push(saying.$case);
    this.#heard.push(saying);
  }

  /** The last saying of a kind. */
  heardLast(kind: ActorSaying["$case"]): unknown {
    return this.#heard.findLast((saying) => saying.$case === kind)?.value;
  }

  lost(error: TroupeError): void {
    if (this.lostWith !== undefined) throw new Error("lost twice");
    this.lostWith = `${error.group}.${error.code}`;
  }
}
