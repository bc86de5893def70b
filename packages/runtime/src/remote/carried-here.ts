/**
 * Carried actors on a remote host: the host has a plugin that has their code. It only passes on: what the engine says goes to
 * the plugin's line, what the plugin says to the engine, in order, and nobody here reads a payload. So each actor keeps the
 * encoding of its plugin, which its declaration names.
 *
 *   the engine says Start ──▶ opening, what follows waits ──▶ running ──Stopped──▶ over
 *                                 └── it can't be opened ──┬── the plugin is gone ──▶ over: the engine hears Lost
 *
 * What a definition doesn't grant is refused here: the engine asks no questions about a host's plugins.
 */
import type { Env, TroupeError } from "@troupe/base";
import {
  type CarriedAsk,
  CarriedStopReason,
  type FromActor,
  NO_PAYLOAD,
  type Start,
  type ToActor,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import type { CarriedBehaviour } from "../actor/behaviour.ts";
import { actorErrors } from "../errors.ts";
import type {
  ActorCarrier,
  ActorLine,
  ActorSaying,
  ActorWord,
  CarriedActivationInfo,
  CarriedDeclaration,
  CarriedOnHost,
  CarriedOnHostSession,
  CarrierSource,
} from "../ports/carried.ts";
import { sqlErrors } from "../sql/errors.ts";

/** One definition: where its code is, and what it may. */
interface Carried {
  readonly source: CarrierSource;
  readonly behaviour: CarriedBehaviour;
}

/** The carried actors of one host. */
export class CarriedHere implements CarriedOnHost {
  readonly #definitions = new Map<string, Carried>();
  #declarations: readonly CarriedDeclaration[] = [];

  /** See `HostCarried`. */
  constructor(env: Env, use: ReadonlyMap<string, CarriedBehaviour>, onlyWasm: boolean) {
    for (const [name, behaviour] of use)
      this.#definitions.set(name, { behaviour, source: behaviour.source({ env, name, onlyWasm }) });
  }

  /** What the plugins say of their actors, when they are open. */
  get declarations(): readonly CarriedDeclaration[] {
    return this.#declarations;
  }

  /**
   * Opens every plugin: a host says what it has before it has anything to run. Rejects with what is wrong with one, and
   * `actor.not_carried` for one that says nothing of itself before it runs (`dynamicActor`).
   */
  async open(): Promise<void> {
    const declared = [...this.#definitions].map(async ([name, { source, behaviour }]) => {
      if (source.known === undefined)
        throw actorErrors.notCarried(`"${name}" runs on a host that must say what it does before it runs`);
      return declare(name, await source.known(), behaviour);
    });
    this.#declarations = await Promise.all(declared);
  }

  /** What runs in one session with the engine. */
  session(send: (message: FromActor) => void): CarriedSession {
    return new CarriedSession(this.#definitions, send);
  }

  close(): void {
    for (const { source } of this.#definitions.values()) source.close().catch(() => {});
  }
}

/** The running carried actors of one session with the engine. */
export class CarriedSession implements CarriedOnHostSession {
  readonly #definitions: ReadonlyMap<string, Carried>;
  readonly #send: (message: FromActor) => void;
  readonly #instances = new Map<number, PassedOn>();

  constructor(definitions: ReadonlyMap<string, Carried>, send: (message: FromActor) => void) {
    this.#definitions = definitions;
    this.#send = send;
  }

  get size(): number {
    return this.#instances.size;
  }

  /** False: the message is for an actor of another kind. */
  receive({ instance, body }: ToActor): boolean {
    if (body?.$case === "start") return this.#start(instance, body.value);
    const known = this.#instances.get(instance);
    if (known !== undefined && body !== undefined) known.say(body);
    return known !== undefined;
  }

  /** The engine is gone: nothing that runs here is stored any more. */
  lost(): void {
    for (const instance of this.#instances.values()) instance.abandon();
    this.#instances.clear();
  }

  #start(instance: number, start: Start): boolean {
    const found = this.#definitions.get(start.actor || start.name);
    if (found === undefined) return false;
    const passedOn = new PassedOn(found, {
      say: (body) => this.#send({ instance, body }),
      over: () => this.#instances.delete(instance),
    });
    this.#instances.set(instance, passedOn);
    void passedOn.start(start);
    return true;
  }
}

/** Who hears an instance. */
interface Outside {
  say(saying: ActorSaying): void;
  /** Nothing more is said. */
  over(): void;
}

/** One running instance. */
class PassedOn {
  readonly #of: Carried;
  readonly #outside: Outside;
  /** What came before the plugin was open. */
  readonly #early: ActorWord[] = [];
  #line: ActorLine | undefined;
  #over = false;
  #name = "";

  constructor(of: Carried, outside: Outside) {
    this.#of = of;
    this.#outside = outside;
  }

  /** Never rejects. */
  async start(start: Start): Promise<void> {
    this.#name = start.name;
    let carrier: ActorCarrier;
    try {
      carrier = await this.#of.source.carrier(infoOf(start));
    } catch (cause) {
      return this.#lost(cause);
    }
    if (this.#over) return;
    this.#line = carrier.connect(
      { heard: (saying) => this.#heard(saying, carrier), lost: (error) => this.#lost(error) },
      () => this.#outside.say({ $case: "end", value: { reason: CarriedStopReason.SLEEP } }),
    );
    // The plugin's own name for it: the program may have registered it under another one.
    this.#line.send({ $case: "start", value: { ...start, actor: carrier.declaration.name } });
    for (const word of this.#early.splice(0)) this.#line.send(word);
  }

  say(word: ActorWord): void {
    if (this.#line === undefined) this.#early.push(word);
    else this.#line.send(word);
  }

  /** Nobody hears it any more. */
  abandon(): void {
    this.#over = true;
    this.#line?.send({ $case: "stop", value: { reason: CarriedStopReason.BROKEN, graceMs: 0 } });
    this.#line?.close();
  }

  #heard(saying: ActorSaying, { encoding }: ActorCarrier): void {
    const refused = saying.$case === "ask" ? this.#refusal(saying.value) : undefined;
    if (refused !== undefined && saying.$case === "ask") {
      const error = toCarriedError(refused, encoding);
      const { ask } = saying.value;
      return this.say({
        $case: "answer",
        value: { ask, error, rows: [], sql: NO_PAYLOAD, value: NO_PAYLOAD },
      });
    }
    this.#outside.say(saying);
    if (saying.$case === "stopped") this.#end();
  }

  #refusal({ about }: CarriedAsk): TroupeError | undefined {
    const { needs } = this.#of.behaviour;
    if (about?.$case === "actorCall" && !needs.includes("actors"))
      return actorErrors.notGranted(this.#name, "actors", "call other actors");
    if (about?.$case.startsWith("sql") === true && !needs.includes("database"))
      return sqlErrors.unavailable();
    return undefined;
  }

  #lost(cause: unknown): void {
    if (this.#over) return;
    this.#outside.say({ $case: "lost", value: { error: toCarriedError(cause, "cbor") } });
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#line?.close();
    this.#outside.over();
  }
}

function declare(name: string, carrier: ActorCarrier, behaviour: CarriedBehaviour): CarriedDeclaration {
  const { declaration, encoding } = carrier;
  return {
    ...declaration,
    name,
    encoding,
    options: { ...declaration.options, ...behaviour.options },
    database: declaration.database && behaviour.needs.includes("database"),
  };
}

/** A source that is known before anything runs asks for nothing of it: not for its input, and the namespace is the engine's. */
function infoOf({ actorId, name, key }: Start): CarriedActivationInfo {
  return { actorId, namespace: "", name, key, input: undefined };
}
