/**
 * Guest: the place where TypeScript actors run behind a carrier: in an isolate, on a remote host, in a worker.
 *
 * The actors are the runtime's own local kind, with every hook and rule that it has. Only their ends are exchanged: the
 * store hands batches on over the line instead of to a disk, and a connection's sink says events over the line. Nothing
 * waits for the disk here. What is said leaves in order behind what was written, and the runtime at the other end holds
 * it back until that is durable (see `schemas/actor/v1`). Only what leaves the guest by another way (a `saveState` that
 * is awaited) asks whether everything is durable.
 */
import type { Env, TroupeError } from "@troupe/base";
import type { FromActor, ToActor } from "@troupe/protocol/actor/v1";
import type { Relay } from "@troupe/relay";
import type { ActorDescriptor, LocalBehaviour } from "../actor/behaviour.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type {
  ActivationServices,
  OpenRuntimeSocket,
  RelayElsewhere,
  Running,
} from "../actor/local/activation-services.ts";
import { LocalFactory } from "../actor/local/local-instance.ts";
import { WaitGraph } from "../actor/local/wait-graph.ts";
import { keptByCode } from "../actor/options.ts";
import { actorErrors } from "../errors.ts";
import type { CarriedDeclaration } from "../ports/carried.ts";
import type { SqlChain } from "../sql/chain.ts";
import type { FailureLog } from "./failure-log.ts";
import { GuestClients } from "./guest-client.ts";
import { GuestInstance } from "./guest-instance.ts";

/** What a guest is made of. */
export interface GuestParts {
  readonly env: Env;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** Sends a message on its way, in order. Must not throw. */
  readonly send: (message: FromActor) => void;
  /** Settles when the other end is known to be there; `undefined` while it is. See `ActorStore.present`. */
  readonly present?: (() => Promise<void> | undefined) | undefined;
  /** What the actors' own calls run under; without it they have no `c.tool`. */
  readonly relay?: Relay | undefined;
  /** Without it: takes what they say of themselves (`c.mark`) to the host's. */
  readonly relayElsewhere?: RelayElsewhere | undefined;
  /** Opens doors for processes of the machine; without it there are none. */
  readonly runtimeSocket?: OpenRuntimeSocket | undefined;
  /**
   * Told, before an actor's code runs, of what a request of its to the network waits for: nothing, when all that it wrote is
   * durable. It rejects when that will never be.
   */
  readonly departure?: ((departure: () => Promise<void> | undefined) => void) | undefined;
  /** Told of every error before it leaves; says under which id it is in the log here, if it is. Must not throw. */
  readonly failed?: FailureLog;
}

/** Runs actors for a host that is elsewhere. */
export class Guest {
  readonly declarations: readonly CarriedDeclaration[];
  readonly #parts: GuestParts;
  readonly #factories = new Map<string, LocalFactory>();
  readonly #instances = new Map<number, GuestInstance>();

  /** Throws `actor.not_carried` for a definition that is carried itself. */
  constructor(parts: GuestParts) {
    this.#parts = parts;
    const clients = new GuestClients(parts.env);
    const services: ActivationServices = {
      env: parts.env,
      relay: parts.relay,
      relayElsewhere: parts.relayElsewhere,
      current: parts.env.asyncContext.variable<Running>(),
      sqlChain: parts.env.asyncContext.variable<SqlChain>(),
      waits: new WaitGraph(),
      runtimeSocket: parts.runtimeSocket,
      made: (activation) => parts.departure?.(() => activation.departure()),
      client: (caller, call) => clients.of(caller, call),
    };
    const declarations: CarriedDeclaration[] = [];
    for (const [name, { descriptor, behaviour }] of Object.entries(parts.use)) {
      if (behaviour.kind !== "local") throw actorErrors.notCarried(`"${name}", which is carried itself`);
      this.#factories.set(name, new LocalFactory({ descriptor, behaviour }, services));
      declarations.push(declare(name, descriptor, behaviour));
    }
    this.declarations = declarations;
  }

  /** Instances that run here. */
  get size(): number {
    return this.#instances.size;
  }

  /** A message of the host. One to an instance that has ended is nobody's: its last words are on their way. */
  receive({ instance: number, body }: ToActor): void {
    if (body === undefined) return;
    // What the code calls it: a program may have registered it under another name.
    if (body.$case === "start") this.#start(number, body.value.actor || body.value.name).start(body.value);
    else this.#instances.get(number)?.receive(body);
  }

  /** The host is gone: nothing that runs here is stored any more. `unsent`: questions that are known to have never left. */
  lost(error: TroupeError, unsent: readonly (readonly [instance: number, ask: number])[] = []): void {
    const never = new Map<number, Set<number>>();
    for (const [instance, ask] of unsent) never.set(instance, (never.get(instance) ?? new Set()).add(ask));
    for (const [number, instance] of this.#instances) instance.lost(error, never.get(number));
    this.#instances.clear();
  }

  #start(number: number, name: string): GuestInstance {
    const instance = new GuestInstance({
      env: this.#parts.env,
      relay: this.#parts.relay,
      factory: this.#factories.get(name),
      present: this.#parts.present,
      send: (body) => this.#parts.send({ instance: number, body }),
      failed: this.#parts.failed,
      ended: () => this.#instances.delete(number),
    });
    this.#instances.set(number, instance);
    return instance;
  }
}

function declare(name: string, descriptor: ActorDescriptor, behaviour: LocalBehaviour): CarriedDeclaration {
  return {
    name,
    actions: descriptor.actions,
    events: descriptor.events,
    queues: descriptor.queues,
    options: declaredOptions(descriptor),
    connections: true,
    sockets: behaviour.hooks.onWebSocket !== undefined,
    requests: behaviour.hooks.onRequest !== undefined,
    database: behaviour.database !== undefined,
    startRows: true,
    guardedEvents: [...(behaviour.events?.keys() ?? [])],
    idempotency: true,
    serial: true,
    hibernation: true,
    optionsKept: keptByCode,
  };
}

/**
 * Options as they travel: JSON has no infinity, and the largest whole number is as good. A function passes no wire; the
 * guest asks it itself. Those that do nothing are named, so that the host can say so.
 */
function declaredOptions({ options, ignoredOptions }: ActorDescriptor): Readonly<Record<string, unknown>> {
  const entries = Object.entries(options)
    .filter(([, value]) => typeof value !== "function")
    .map(([name, value]) => [name, value === Infinity ? Number.MAX_SAFE_INTEGER : value]);
  return Object.fromEntries([...entries, ...ignoredOptions.map((name) => [name, true])]);
}
