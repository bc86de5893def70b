/**
 * ActorHost: which actors are awake in this process, and the one way to get at them.
 *
 * `load` is that way, for every route and every kind of actor. Each actor that is awake, waking or stopping has a slot;
 * a sleeping one has nothing. A slot is in one state:
 *
 *   loading ──started──▶ awake ──stop──▶ stopping ──▶ (no slot)
 *
 * Whoever asks for an actor that is loading waits for it; whoever asks for one that is stopping waits until it has
 * stopped, and then starts the next activation: calls are held, never dropped. Two loads at once make one activation.
 *
 * Crash cases: nothing here is durable. An address that was reserved by a creation that failed is given back through
 * the directory; one whose creation a crash cut off lacks the row that ends a creation, and is given back when somebody
 * next asks for it. So is one whose destruction was cut off: it has the row that begins one.
 */
import type { Env } from "@troupe/base";
import { actorErrors, hostingErrors } from "../errors.ts";
import type { ActorAddress, ActorRecord, Directory } from "../ports/directory.ts";
import type { ActorInstance, InstanceFactory, InstanceHost, StopReason } from "../ports/instance.ts";
import type { CommitTimes } from "../ports/storage.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { CutOff } from "./cut-off.ts";
import type { Factories } from "./factories.ts";
import { FailedStarts } from "./failed-starts.ts";
import { GiveBack, isNotFound } from "./give-back.ts";
import { HibernatingClients } from "./hibernation.ts";
import { holdPlace } from "./hold.ts";
import { HostFigures } from "./host-figures.ts";
import type { HostParts } from "./host-parts.ts";
import type { ActorPhase } from "./phase.ts";
import { Places } from "./places.ts";
import { reloadActor } from "./reload.ts";
import { Slot } from "./slot.ts";
import { Slots } from "./slots.ts";
import { type StartParts, startInstance } from "./start-instance.ts";
import { type Creation, describe, isCreate, pathOf, seenBy, type Target, targetPath } from "./target.ts";

export type { Target } from "./target.ts";

/** All awake actors of one process. */
export class ActorHost implements InstanceHost {
  readonly hibernation = new HibernatingClients();
  readonly figures = new HostFigures();
  readonly failedStarts: FailedStarts;
  /** How long commits take, where they go to a disk. */
  readonly commits: CommitTimes | undefined;
  readonly #env: Env;
  readonly #directory: Directory;
  readonly #factories: Factories;
  readonly #slots = new Slots();
  /** Creations and look-ups by address that are under way: one at a time for each address. */
  readonly #resolving = new Map<string, Promise<ActorInstance>>();
  readonly #alarms: AlarmClock;
  readonly #places: Places;
  readonly #giveBack: GiveBack;
  readonly #startParts: StartParts;
  /** Told of the stop. */
  readonly #starting = new Set<() => void>();
  #stopped: Promise<void> | undefined;

  constructor(parts: HostParts) {
    this.#env = parts.env;
    this.failedStarts = new FailedStarts(parts.env);
    this.#directory = parts.directory;
    this.#factories = parts.factories;
    this.commits = parts.storage.commits;
    const { env, storage } = parts;
    this.#alarms = new AlarmClock({ env, storage, wake: (id) => this.#wake(id) });
    this.#giveBack = new GiveBack({
      env: parts.env,
      directory: parts.directory,
      storage: parts.storage,
      lookFor: (id) => this.#wake(id),
      leave: (id) => this.#alarms.failed(id),
    });
    this.#places = new Places({ ...parts, sleep: (slot) => void this.#stop(slot, "sleep") });
    this.#startParts = {
      directory: parts.directory,
      storage: parts.storage,
      slots: this.#slots,
      places: this.#places,
      giveBack: this.#giveBack,
      host: this,
      started: (instance) => this.#awake(instance),
    };
  }

  /** Begins to watch the alarms. */
  start(): Promise<void> {
    return this.#alarms.start();
  }

  /** True from the moment when no actor wakes any more. */
  get stopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** Awake, waking and stopping actors. */
  get size(): number {
    return this.#slots.size;
  }

  /**
   * The one way to an actor: an instance that accepts calls, at once when it is awake.
   *
   * Throws, or rejects with, `actor.not_found`, `actor.not_registered`, `actor.duplicate_key`, `actor.overloaded`,
   * `actor.stopping`, `actor.start_failed`, or what a start hook threw for callers to read.
   */
  load(target: Target): ActorInstance | Promise<ActorInstance> {
    if (this.#stopped !== undefined) throw actorErrors.stopping();
    const path = targetPath(target);
    const slot = this.#slots.find(target, path);
    if (slot === undefined) return this.#resolve(target, path);
    if (slot.state.tag === "awake" && slot.state.instance.accepting && !isCreate(target))
      return slot.state.instance;
    return this.#loadSlowly(target, path, slot);
  }

  /** Each actor that has a place, by its name and phase: for people. */
  *places(): Generator<{ readonly name: string; readonly phase: ActorPhase }> {
    for (const { record, state } of this.#slots) yield { name: record.name, phase: state.tag };
  }

  /** What is known of an actor's place: for people. */
  phase(id: string): ActorPhase {
    return this.#slots.get(id)?.state.tag ?? "asleep";
  }

  /** Keeps an actor that sleeps from waking while `work` goes on: its calls wait. See {@link holdPlace}. */
  hold<R>(record: ActorRecord, work: () => Promise<R>): Promise<{ readonly value: R } | undefined> {
    if (this.#stopped !== undefined) throw actorErrors.stopping();
    return holdPlace(this.#slots, record, work);
  }

  /** An actor that is awake: for people and tests. */
  instance(id: string): ActorInstance | undefined {
    const state = this.#slots.get(id)?.state;
    return state?.tag === "awake" ? state.instance : undefined;
  }

  idle(instance: ActorInstance, sleepTimeoutMs: number): void {
    const slot = this.#slots.get(instance.record.id);
    if (slot?.state.tag === "loading") slot.restMs = sleepTimeoutMs;
    if (slot?.state.tag !== "awake" || slot.state.instance !== instance) return;
    this.#places.idle(slot, sleepTimeoutMs);
  }

  busy(instance: ActorInstance): void {
    const slot = this.#slots.get(instance.record.id);
    if (slot?.state.tag === "loading") slot.restMs = undefined;
    if (slot?.state.tag === "awake" && slot.state.instance === instance) this.#places.busy(slot);
  }

  requestStop(instance: ActorInstance, reason: StopReason): void {
    // In a turn of the host's own: whoever asks is in the middle of one of the actor's.
    this.#env.afterTurn(() => {
      const slot = this.#slots.get(instance.record.id);
      if (slot?.state.tag === "awake" && slot.state.instance === instance) void this.#stop(slot, reason);
      // Asked for in a start hook: as soon as it is there.
      else if (slot?.state.tag === "loading") {
        slot.state.ready.then(
          () => this.requestStop(instance, reason),
          () => {},
        );
      }
      // One that stops already sees to it that it ends for good.
    });
  }

  whenStopping(told: () => void): () => void {
    if (this.#stopped !== undefined) told();
    this.#starting.add(told);
    return () => this.#starting.delete(told);
  }

  alarm(instance: ActorInstance, at: number | undefined): void {
    if (at === undefined) this.#alarms.failed(instance.record.id);
    else this.#alarms.slept(instance.record.id, at);
  }

  /** Puts an actor to sleep now; settles when it sleeps. For people and tests. */
  async sleep(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    if (slot !== undefined) await this.#stop(slot, "sleep");
  }

  /** See {@link reloadActor}. */
  reload(target: Target): Promise<void> {
    const sleep = (id: string): Promise<void> => this.sleep(id);
    return reloadActor({ directory: this.#directory, factories: this.#factories, sleep }, target);
  }

  /** Ends an actor for good, awake or not. Throws `actor.not_found`, `storage.commit_failed`. */
  async destroy(id: string): Promise<void> {
    const instance = await this.load({ kind: "id", id });
    const slot = this.#slots.get(id);
    if (slot !== undefined) await this.#stop(slot, "destroy");
    await instance.settled();
  }

  /** No new work; every actor sleeps; settles when all do. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.resolve().then(() => this.#stopAll());
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#alarms.close();
    this.#giveBack.close();
    this.#places.close();
    for (const told of this.#starting) told();
    const stop = (slot: Slot): Promise<void> => this.#stop(slot, "host-stop");
    // Who is awake doesn't wait for those that start, whose callers are answered first.
    const awake = [...this.#slots].filter(({ state }) => state.tag === "awake").map(stop);
    await Promise.all([Promise.allSettled(this.#resolving.values()), ...awake]);
    await Promise.all([...this.#slots].map(stop));
  }

  async #loadSlowly(target: Target, path: string, slot: Slot): Promise<ActorInstance> {
    for (
      let current: Slot | undefined = slot;
      current !== undefined;
      current = this.#slots.get(current.record.id)
    ) {
      if (isCreate(target)) throw hostingErrors.duplicateKey(target.address.name, target.address.key);
      if (current.state.tag === "loading") {
        return await current.state.ready.catch((cause: unknown) => this.#retryAfter(target, cause));
      }
      if (current.state.tag === "awake" && current.state.instance.accepting) return current.state.instance;
      await (current.state.tag === "stopping" ? current.state.done : this.#endOf(current));
      if (this.#stopped !== undefined) throw actorErrors.stopping();
    }
    return await this.#resolve(target, path);
  }

  /** One that is awake and takes no calls ends: it asked for that, or lost its code. Settles when it has begun to. */
  #endOf(slot: Slot): Promise<void> {
    // In a turn of the host's own: whoever calls it may be in the middle of one of its turns.
    return new Promise((resolve) => {
      this.#env.afterTurn(() => {
        if (slot.state.tag === "awake" && !slot.state.instance.accepting)
          void this.#stop(slot, slot.state.instance.doomed ? "destroy" : "sleep");
        resolve();
      });
    });
  }

  /** One look-up at a time for each target; the others share it, but two creations don't. */
  #resolve(target: Target, path: string): Promise<ActorInstance> {
    const under = this.#resolving.get(path);
    if (under !== undefined) {
      if (!isCreate(target)) return under.catch((cause: unknown) => this.#retryAfter(target, cause));
      return under.then(
        () => Promise.reject(hostingErrors.duplicateKey(target.address.name, target.address.key)),
        () => this.#resolve(target, path),
      );
    }
    const resolving = this.#open(target, path);
    this.#resolving.set(path, resolving);
    return resolving;
  }

  /** A `getOrCreate` that waited for somebody's `get` has not been answered yet. */
  async #retryAfter(target: Target, cause: unknown): Promise<ActorInstance> {
    if (isNotFound(cause) && target.kind === "address" && target.method === "getOrCreate")
      return await this.load(target);
    throw cause;
  }

  async #open(target: Target, path: string): Promise<ActorInstance> {
    let found: ActorInstance | ActorRecord;
    try {
      const entering = this.#places.enter();
      if (entering !== undefined) await entering;
      try {
        found = await this.#openInRoom(target, path);
      } catch (cause) {
        this.#places.leave();
        throw cause;
      }
    } finally {
      this.#resolving.delete(path);
    }
    if ("accepting" in found) return found;
    // Somebody came by another way, by id or by address: it is theirs, and has its place.
    this.#places.leave();
    try {
      return await this.load({ kind: "id", id: found.id });
    } catch (cause) {
      return await this.#retryAfter(target, cause);
    }
  }

  /** An instance that was started in the caller's place, or the record of one that somebody else started. */
  async #openInRoom(target: Target, path: string): Promise<ActorInstance | ActorRecord> {
    if (target.kind === "id") {
      const record = seenBy(target, await this.#directory.get(target.id));
      return await this.#activate(record, pathOf(record));
    }
    const { address, method, input } = target;
    const { needs } = this.#factory(address);
    if (method === "get") {
      const record = await this.#directory.find(address);
      if (record === undefined) throw actorErrors.notFound(describe(address));
      return await this.#activate(record, path);
    }
    if (method === "getOrCreate") {
      const located = await this.#directory.getOrCreate(address, needs);
      if (located.isNew)
        return await this.#activate(located.record, path, { input, durable: located.durable });
      try {
        return await this.#activate(located.record, path);
      } catch (cause) {
        if (!(cause instanceof CutOff)) throw cause;
      }
    } else {
      const found = await this.#directory.find(address);
      if (found !== undefined && this.#slots.get(found.id) === undefined)
        await this.#giveBack.makeRoom(found, needs);
    }
    const { record, durable } = await this.#directory.create(address, needs);
    return await this.#activate(record, path, { input, durable });
  }

  #factory({ name, namespace }: ActorAddress): InstanceFactory {
    const factory = this.#factories.get(name, namespace);
    if (factory === undefined) throw actorErrors.notRegistered(name);
    return factory;
  }

  /** The instance, started in the caller's place; or the record, when somebody else has started it or is at it. */
  #activate(record: ActorRecord, path: string, creation?: Creation): Promise<ActorInstance> | ActorRecord {
    if (this.#slots.get(record.id) !== undefined) return record;
    const factory = this.#factory(record);
    const ready = this.#start(factory, record, creation);
    const slot = new Slot(record, path, { tag: "loading", ready }, factory.needs?.database);
    this.#slots.add(slot);
    return ready;
  }

  /** Its slot is there when this goes on: a claim is never had at once. */
  async #start(
    factory: InstanceFactory,
    record: ActorRecord,
    creation: Creation | undefined,
  ): Promise<ActorInstance> {
    const since = this.#env.clock.monotonic();
    try {
      return await startInstance(this.#startParts, { factory, record, creation, since });
    } catch (cause) {
      this.figures.count(record.name, "start_failed");
      this.#slots.forget(this.#slots.of(record));
      throw this.failedStarts.note(record, cause, creation !== undefined);
    }
  }

  #awake(instance: ActorInstance): void {
    const slot = this.#slots.of(instance.record);
    slot.state = { tag: "awake", instance };
    if (slot.restMs !== undefined) this.idle(instance, slot.restMs);
    this.figures.count(slot.record.name, "started");
  }

  #stop(slot: Slot, reason: StopReason): Promise<void> {
    if (slot.state.tag === "stopping") return slot.state.done;
    if (slot.state.tag === "loading")
      return slot.state.ready.then(
        () => this.#stop(slot, reason),
        () => {},
      );
    this.#places.busy(slot);
    const { instance } = slot.state;
    const done = this.#finish(slot, instance, reason);
    slot.state = { tag: "stopping", done };
    return done;
  }

  async #finish(slot: Slot, instance: ActorInstance, reason: StopReason): Promise<void> {
    await instance.stop(reason);
    this.figures.count(slot.record.name, instance.doomed ? "destroy" : reason);
    await this.#giveBack.stopped(instance, this.#factory(slot.record).needs);
    this.#slots.forget(slot);
    this.#alarms.ended(slot.record.id);
    this.#places.closed(slot);
    this.#places.leave();
  }

  /** For its alarm, or to find that it is gone: then it takes its alarm with it. */
  async #wake(id: string): Promise<void> {
    try {
      await this.load({ kind: "id", id });
    } catch (cause) {
      if (!isNotFound(cause)) throw cause;
    }
  }
}
