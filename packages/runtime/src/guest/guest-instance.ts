/**
 * GuestInstance: one activation that runs here for a host elsewhere. It is the instance's host: what the instance asks of
 * it (to be put to sleep, to be destroyed) is said over the line, and the host decides.
 */
import type { Env, TroupeError } from "@troupe/base";
import {
  type CarriedCall,
  type CarriedRow,
  CarriedStopReason,
  decodeArgs,
  type Sleeper,
  type Start,
  type StartRows,
} from "@troupe/protocol/actor/v1";
import type { Relay, Scope } from "@troupe/relay";
import { sendOptions } from "../actor/carried/send.ts";
import type { LocalFactory } from "../actor/local/local-instance.ts";
import { actorErrors, streamErrors } from "../errors.ts";
import type { ActorSaying, ActorWord } from "../ports/carried.ts";
import type { FlowControl } from "../ports/flow.ts";
import type { ActorInstance, InstanceHost, StopReason } from "../ports/instance.ts";
import { endScope, parentOf } from "../traced/tracing.ts";
import type { FailureLog } from "./failure-log.ts";
import { GuestCalls } from "./guest-calls.ts";
import { GuestConnections, payloadValue } from "./guest-connections.ts";
import { GuestHibernation } from "./guest-hibernation.ts";
import { GuestReply } from "./guest-output.ts";
import { GuestRequests } from "./guest-requests.ts";
import { GuestSockets } from "./guest-sockets.ts";
import { GuestStore } from "./guest-store.ts";
import { GuestVoice } from "./guest-voice.ts";

/** What an instance is made of. */
export interface GuestInstanceParts {
  readonly env: Env;
  readonly relay: Relay | undefined;
  /** Absent: no actor has the name. */
  readonly factory: LocalFactory | undefined;
  readonly send: (saying: ActorSaying) => void;
  readonly present?: (() => Promise<void> | undefined) | undefined;
  /** Told of every error before it leaves. */
  readonly failed?: FailureLog | undefined;
  /** Nothing more is said. */
  readonly ended: () => void;
}

const stopReasons: ReadonlyMap<CarriedStopReason, StopReason> = new Map([
  [CarriedStopReason.DESTROY, "destroy"],
  [CarriedStopReason.HOST, "host-stop"],
  [CarriedStopReason.BROKEN, "broken"],
]);

/** One running actor of a guest. */
export class GuestInstance implements InstanceHost {
  readonly hibernation: GuestHibernation;
  readonly #parts: GuestInstanceParts;
  readonly #voice: GuestVoice;
  readonly #connections: GuestConnections;
  readonly #sockets: GuestSockets;
  readonly #requests: GuestRequests;
  readonly #calls: GuestCalls;
  /** Results on their way that come in items, by the numbers of their calls. */
  readonly #flows = new Map<number, FlowControl>();
  /** Of calls that have no answer. */
  readonly #scopes = new Set<Scope>();
  #store: GuestStore | undefined;
  #instance: ActorInstance | undefined;
  /** What came before the instance was there. */
  #early: ActorWord[] | undefined = [];
  /** A start whose last rows are on their way. */
  #arriving: { readonly start: Start; readonly rows: CarriedRow[]; readonly sleepers: Sleeper[] } | undefined;
  /** What the host was told last. */
  #toldBusy = false;
  #busy = false;
  /** A word of the host's is being heard: whether it leaves work behind is known when that has returned. */
  #hearing = false;

  constructor(parts: GuestInstanceParts) {
    this.#parts = parts;
    this.#voice = new GuestVoice((saying) => this.#say(saying), parts.failed);
    this.#connections = new GuestConnections(this.#voice);
    this.#sockets = new GuestSockets(this.#voice);
    this.hibernation = new GuestHibernation(this.#connections, this.#sockets);
    this.#requests = new GuestRequests(this.#voice);
    this.#calls = new GuestCalls(parts.env, parts.factory?.actionTimeoutMs ?? Infinity);
  }

  /** Runs the start hooks when all rows are there, and says how they ended. */
  start(start: Start): void {
    if (start.moreRows) {
      this.#arriving = { start, rows: start.rows.map(kept), sleepers: [] };
      return;
    }
    void this.#open(start).then(
      () => this.#started(undefined),
      (cause: unknown) => {
        this.#started(cause);
        this.#parts.ended();
      },
    );
  }

  receive(word: ActorWord): void {
    if (word.$case === "answer") this.#store?.answered(word.value);
    else if (word.$case === "startRows") this.#rowsCame(word.value);
    else if (this.#early !== undefined) this.#early.push(word);
    else this.#hear(word);
  }

  /** The host is gone. `unsent`: questions that never left. */
  lost(error: TroupeError, unsent?: ReadonlySet<number>): void {
    this.#store?.lost(error, unsent);
    void this.#instance?.stop("broken");
  }

  idle(): void {
    this.#busy = false;
    if (this.#toldBusy) this.#tellRest();
  }

  busy(): void {
    this.#busy = true;
    if (!this.#hearing) this.#tellBusyLater();
  }

  requestStop(_instance: ActorInstance, reason: StopReason): void {
    const wire = reason === "destroy" ? CarriedStopReason.DESTROY : CarriedStopReason.SLEEP;
    if (reason === "broken") void this.#instance?.stop("broken").then(() => this.#stopped());
    else this.#voice.say({ $case: "end", value: { reason: wire } });
  }

  /** The host knows it from what was written. */
  alarm(): void {}

  #say(saying: ActorSaying): void {
    this.#store?.flush();
    this.#parts.send(saying);
  }

  #rowsCame({ rows, sleepers, last }: StartRows): void {
    const arriving = this.#arriving;
    if (arriving === undefined) return;
    for (const row of rows) arriving.rows.push(kept(row));
    for (const sleeper of sleepers) arriving.sleepers.push(sleeper);
    if (!last) return;
    this.#arriving = undefined;
    this.hibernation.arrived(arriving.sleepers);
    this.start({ ...arriving.start, rows: arriving.rows, moreRows: false });
  }

  async #open(start: Start): Promise<void> {
    if (this.#parts.factory === undefined) throw actorErrors.notRegistered(start.name);
    const { env, present } = this.#parts;
    const store = new GuestStore({ env, start, send: this.#voice.say, present });
    this.#store = store;
    const { actorId: id, name, key, createdAt, generation, isNew } = start;
    this.#voice.about = { actor: name, key, actorId: id };
    const instance = await this.#parts.factory.open({
      record: { id, namespace: "", name, key: [...key], createdAt },
      generation,
      store,
      rows: store.rows,
      isNew,
      input: payloadValue(start.input),
      created: undefined,
      host: this,
    });
    this.#instance = instance;
    // A creation is stored with the word that it is whole: the word comes behind what the hooks wrote.
    await instance.settled();
  }

  #started(cause: unknown): void {
    const error = cause === undefined ? undefined : this.#voice.error(cause, "starting");
    this.#voice.say({ $case: "started", value: { error, alarmAt: this.#instance?.report().alarmAt ?? 0 } });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const word of early) this.#hear(word);
  }

  #hear(word: ActorWord): void {
    const instance = this.#instance;
    if (instance === undefined) return;
    this.#hearing = true;
    try {
      this.#tell(instance, word);
    } finally {
      this.#hearing = false;
    }
    if (this.#busy) this.#tellBusyLater();
  }

  /** What is over by the end of the turn is a call that the host knows of. */
  #tellBusyLater(): void {
    if (!this.#toldBusy) this.#parts.env.afterTurn(() => this.#busy && !this.#toldBusy && this.#tellRest());
  }

  #tell(instance: ActorInstance, word: ActorWord): void {
    switch (word.$case) {
      case "call":
        return this.#call(instance, word.value);
      case "streamCredit":
        this.#flows.get(word.value.call)?.credit(word.value.items);
        return;
      case "cancel":
        return this.#cancel(word.value.call);
      case "connect":
        return this.#connections.connect(instance, word.value);
      case "disconnect":
        return this.#connections.disconnected(word.value.connection);
      case "subscribe":
        return this.#connections.subscribe(instance, word.value);
      case "unsubscribe":
        this.#connections.get(word.value.connection)?.unsubscribe(word.value.event);
        return;
      case "socketOpen":
        return this.#sockets.open(instance, word.value);
      case "socketMessage":
        return this.#sockets.message(word.value);
      case "socketClose":
        return this.#sockets.closed(word.value);
      case "requestOpen":
        return this.#requests.open(instance, word.value);
      case "requestAbort":
        return this.#requests.aborted(word.value.request);
      case "bodyChunk":
        return this.#requests.chunk(word.value);
      case "bodyEnd":
        return this.#requests.ended(word.value);
      case "bodyCredit":
        return this.#requests.credit(word.value);
      case "stop":
        void instance.stop(stopReasons.get(word.value.reason) ?? "sleep").then(() => this.#stopped());
        return;
      default:
        return;
    }
  }

  #call(instance: ActorInstance, call: CarriedCall): void {
    const { relay } = this.#parts;
    const scope = relay === undefined ? undefined : parentOf(relay, call.trace || undefined);
    if (scope !== undefined) this.#scopes.add(scope);
    const reply = new GuestReply(call.call, this.#voice, {
      flows: this.#flows,
      answered: () => {
        this.#calls.answered(call.call);
        // The items of a result are answers, too.
        if (!this.#flows.has(call.call)) this.#leave(scope);
      },
    });
    try {
      const action = this.#calls.actionOf(call, {
        args: decodeArgs(call.args, "cbor"),
        connection: this.#connections.get(call.connection),
        params: payloadValue(call.params),
        send: call.send && sendOptions(call.send),
        reply,
        began: () => reply.began(),
      });
      if (relay === undefined || scope === undefined) instance.action(action);
      else relay.withScopeStack(scope, () => instance.action(action));
    } catch (cause) {
      reply.error(cause).release();
    }
  }

  /** What was registered in the scope of a call is gone with it. */
  #leave(scope: Scope | undefined): void {
    const { relay } = this.#parts;
    if (relay === undefined || scope === undefined) return;
    this.#scopes.delete(scope);
    endScope(relay, scope);
  }

  /** The caller of a streamed result wants no more. A call that answers once is told, and goes on. */
  #cancel(call: number): void {
    const flow = this.#flows.get(call);
    this.#flows.delete(call);
    if (flow === undefined) this.#calls.cancel(call);
    else flow.cancel(streamErrors.cancelled());
  }

  #tellRest(): void {
    this.#toldBusy = this.#busy;
    this.#voice.say({ $case: "rest", value: { idle: !this.#busy } });
  }

  #stopped(): void {
    for (const scope of [...this.#scopes]) this.#leave(scope);
    const { left: connections } = this.#connections;
    const { left: sockets } = this.#sockets;
    this.#voice.say({ $case: "stopped", value: { connections, sockets } });
    this.#parts.ended();
  }
}

/** Bytes of a message are the carrier's own, and used again for the next one. */
function kept(row: CarriedRow): CarriedRow {
  return { ...row, blobKey: row.blobKey.slice(), value: row.value.slice() };
}
