/**
 * What code that runs elsewhere says of its actors, checked: names, sizes, options.
 */
import type { TroupeError } from "@troupe/base";
import type { ActorDeclaration, QueueDelivery } from "../generated/actor/v1/actor.ts";
import { limits } from "../limits.ts";
import { decodePayload, encodePayload, type PayloadEncoding } from "./payload.ts";

/** One declared actor. */
export interface DeclaredActor {
  readonly name: string;
  readonly actions: readonly string[];
  readonly events: readonly string[];
  /** Queues that others may send to. */
  readonly queues?: readonly string[];
  /** Options as `actor({ options })` takes them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Connections are asked about, and subscriptions told; else the runtime accepts them by itself. */
  readonly connections: boolean;
  readonly sockets: boolean;
  readonly database: boolean;
  /** Events whose subscriptions the code answers. */
  readonly guardedEvents: readonly string[];
  /** It takes HTTP requests. */
  readonly requests: boolean;
  /** It reads StartRows: its rows may come in several messages. */
  readonly startRows: boolean;
  /** Results of calls with idempotency keys are kept; else such calls are refused. */
  readonly idempotency: boolean;
  /** `concurrency: "serial"` is kept; else it is refused. */
  readonly serial: boolean;
  /** Clients may stay while it sleeps; else they end with the activation. */
  readonly hibernation?: boolean;
  /** Options that the code keeps itself, of those that nobody else can keep for it. */
  readonly optionsKept?: readonly string[];
  /** The host keeps its queues and schedules. */
  readonly kept?: boolean;
  /** Queues, of those that the host keeps, whose messages it brings to the code. */
  readonly consumed?: readonly string[];
  /** How messages of those queues are delivered again, where the code says it. */
  readonly deliveries?: readonly QueueDelivery[];
  /** Of its payloads, where it isn't the session's. */
  readonly encoding?: PayloadEncoding | undefined;
}

const encodings: ReadonlySet<string> = new Set<PayloadEncoding>(["cbor", "json", "raw"]);

function isEncoding(text: string): text is PayloadEncoding {
  return encodings.has(text);
}

/** Makes the error for what is wrong with a declaration. */
export type Refuse = (what: string, cause?: unknown) => TroupeError;

/** A declaration as it travels. */
export function encodeDeclaration(actor: DeclaredActor): ActorDeclaration {
  return {
    queues: [],
    hibernation: false,
    optionsKept: [],
    consumed: [],
    ...actor,
    deliveries: [...(actor.deliveries ?? [])],
    encoding: actor.encoding ?? "",
    guardedEvents: [...actor.guardedEvents],
    options: encodePayload(actor.options, "json"),
  };
}

/** Declarations by name. Throws what `refuse` makes. */
export function decodeDeclarations(
  declared: readonly ActorDeclaration[],
  refuse: Refuse,
): ReadonlyMap<string, DeclaredActor> {
  const reader = new DeclarationReader(refuse);
  reader.checkCount("actors", declared.length, limits.pluginActors);
  const actors = new Map<string, DeclaredActor>();
  for (const actor of declared) {
    if (actors.has(actor.name)) throw refuse(`two actors "${actor.name}"`);
    actors.set(actor.name, reader.actor(actor));
  }
  return actors;
}

/** Throws what `refuse` makes for a name that is empty or too long. */
export function checkDeclaredName(what: string, name: string, limit: number, refuse: Refuse): void {
  if (name === "") throw refuse(`${what} is empty`);
  if (name.length > limit) throw refuse(`${what} is too long: "${name.slice(0, 40)}…"`);
}

class DeclarationReader {
  readonly #refuse: Refuse;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  actor(actor: ActorDeclaration): DeclaredActor {
    const {
      name,
      connections,
      sockets,
      database,
      requests,
      startRows,
      idempotency,
      serial,
      hibernation,
      kept,
    } = actor;
    checkDeclaredName("an actor's name", name, limits.actorNameLength, this.#refuse);
    return Object.freeze({
      name,
      actions: this.#members(`an action of "${name}"`, actor.actions),
      events: this.#members(`an event of "${name}"`, actor.events),
      queues: this.#members(`a queue of "${name}"`, actor.queues),
      options: this.#options(name, actor.options),
      connections,
      sockets,
      database,
      guardedEvents: this.#members(`a guarded event of "${name}"`, actor.guardedEvents),
      requests,
      startRows,
      idempotency,
      serial,
      hibernation,
      optionsKept: this.#members(`an option that "${name}" keeps`, actor.optionsKept),
      kept: kept === true,
      consumed: this.#consumed(actor),
      deliveries: this.#deliveries(actor),
      encoding: this.#encoding(name, actor.encoding),
    });
  }

  #consumed({ name, kept, queues, consumed }: ActorDeclaration): readonly string[] {
    const stranger = consumed.find((queue) => kept !== true || !queues.includes(queue));
    if (stranger === undefined) return this.#members(`a consumed queue of "${name}"`, consumed);
    throw this.#refuse(`"${name}" consumes "${stranger}", which isn't one of its queues that the host keeps`);
  }

  #deliveries({ name, kept, queues, deliveries }: ActorDeclaration): readonly QueueDelivery[] {
    this.#members(
      `a delivery of "${name}"`,
      deliveries.map(({ queue }) => queue),
    );
    const stranger = deliveries.find(({ queue }) => kept !== true || !queues.includes(queue));
    if (stranger !== undefined)
      throw this.#refuse(
        `"${name}" says how "${stranger.queue}" delivers, which isn't one of its queues that the host keeps`,
      );
    return Object.freeze([...deliveries]);
  }

  checkCount(what: string, count: number, limit: number): void {
    if (count > limit) throw this.#refuse(`${what}: ${count}, the limit is ${limit}`);
  }

  #encoding(actor: string, encoding: string): PayloadEncoding | undefined {
    if (encoding === "" || isEncoding(encoding)) return encoding === "" ? undefined : encoding;
    throw this.#refuse(`"${actor}" has an encoding that isn't known: "${encoding.slice(0, 40)}"`);
  }

  #members(what: string, names: readonly string[]): readonly string[] {
    this.checkCount(what, names.length, limits.pluginActorMembers);
    for (const name of names) checkDeclaredName(what, name, limits.memberNameLength, this.#refuse);
    const doubled = names.find((name, at) => names.indexOf(name) !== at);
    if (doubled !== undefined) throw this.#refuse(`${what} is there twice: "${doubled}"`);
    return Object.freeze([...names]);
  }

  #options(actor: string, json: Uint8Array): Readonly<Record<string, unknown>> {
    if (json.byteLength === 0) return Object.freeze({});
    const limit = limits.pluginActorOptionsBytes;
    if (json.byteLength > limit)
      throw this.#refuse(`the options of "${actor}" have ${json.byteLength} bytes; the limit is ${limit}`);
    const options = this.#json(actor, json);
    if (typeof options !== "object" || options === null || Array.isArray(options))
      throw this.#refuse(`the options of "${actor}" aren't a JSON object`);
    return Object.freeze({ ...options });
  }

  #json(actor: string, json: Uint8Array): unknown {
    try {
      return decodePayload(json, "json");
    } catch (cause) {
      throw this.#refuse(`the options of "${actor}" aren't JSON`, cause);
    }
  }
}
