/**
 * The carried kind: an actor whose code runs behind a carrier: a plugin, an isolate, a remote host.
 */
import type { Env, TroupeError } from "@troupe/base";
import { CarriedStopReason } from "@troupe/protocol/actor/v1";
import { actorErrors, callErrors, idempotencyErrors } from "../../errors.ts";
import type { ActorRecord, Generation } from "../../ports/directory.ts";
import type {
  ActionCall,
  ActorConnection,
  ActorInstance,
  ConnectRequest,
  InstanceOpen,
  InstanceReport,
  StopReason,
} from "../../ports/instance.ts";
import type { RawRequest } from "../../ports/raw.ts";
import { queueErrors } from "../../queue/errors.ts";
import type { Limiter } from "../../rate-limit/limiter.ts";
import { Connection } from "../local/connection.ts";
import { withTimeout } from "../local/timeout.ts";
import { CarriedActivation, type CarriedParts } from "./activation.ts";
import type { CarriedGrants } from "./carried-factory.ts";
import { checkEntry, requestOf } from "./entry-auth.ts";
import { Kept } from "./kept.ts";
import { passCall, wireTimeout } from "./pass-call.ts";
import { StartPatience } from "./start-patience.ts";

/** What a stop gives the code beyond its grace period, for its last words to arrive. */
const LAST_WORDS_MS = 1_000;

const reasons: Readonly<Record<StopReason, CarriedStopReason>> = {
  sleep: CarriedStopReason.SLEEP,
  destroy: CarriedStopReason.DESTROY,
  "host-stop": CarriedStopReason.HOST,
  broken: CarriedStopReason.BROKEN,
};

/** An activation of a carried actor. */
export class CarriedInstance implements ActorInstance {
  readonly record: ActorRecord;
  readonly generation: Generation;
  readonly #activation: CarriedActivation;
  readonly #limiter: Limiter | undefined;
  readonly #wake: CarriedGrants["wake"];
  readonly #auth: CarriedGrants["auth"];
  /** It had work of its own when it was told to leave: it goes on elsewhere before anybody calls. */
  #goesOn = false;

  constructor(env: Env, request: InstanceOpen, of: Pick<CarriedParts, "carrier" | "descriptor" | "grants">) {
    this.record = request.record;
    this.generation = request.generation;
    this.#wake = of.grants.wake;
    this.#auth = of.grants.auth;
    this.#limiter = of.grants.limiter?.(of.descriptor.options.rateLimit);
    const { noSleep, sleepTimeout } = of.descriptor.options;
    this.#activation = new CarriedActivation({
      env,
      request,
      carrier: of.carrier,
      descriptor: of.descriptor,
      grants: of.grants,
      onIdle: () => {
        if (this.accepting && !noSleep) request.host.idle(this, sleepTimeout);
      },
      onBusy: () => request.host.busy(this),
      onEnd: (reason) => request.host.requestStop(this, reason),
      onLeave: () => this.#leave(),
    });
  }

  get accepting(): boolean {
    const { phase, gone, doomed, gate } = this.#activation;
    // With a broken gate it ends as soon as the turn does: nothing that it would say leaves.
    return phase.tag === "running" && !gone && !doomed && gate.broken === undefined;
  }

  get doomed(): boolean {
    return this.#activation.doomed;
  }

  /** Settles when the code has started. */
  async start(): Promise<void> {
    const activation = this.#activation;
    const patience = new StartPatience(activation);
    try {
      const started = Promise.race([activation.start(), patience.over]);
      await withTimeout(activation.env, started, startTimeoutMs(activation), () =>
        actorErrors.hookTimedOut("start", startTimeoutMs(activation)),
      );
    } catch (cause) {
      await this.stop("broken");
      throw cause;
    } finally {
      patience.end();
    }
    const { host } = activation.request;
    activation.sleepers.resume(host.known?.(this) ?? this);
    const { noSleep, sleepTimeout } = activation.descriptor.options;
    if (activation.work.idle && !noSleep) host.idle(this, sleepTimeout);
  }

  action(call: ActionCall): void {
    if (this.doomed) {
      this.#activation.emit(call.reply.error(actorErrors.destroyed()));
      return;
    }
    if (!this.accepting) {
      // Also behind the end of its connection: its client may send it again, and has to know that it may.
      call.reply.error(actorErrors.stopping()).release();
      return;
    }
    if (call.connection instanceof Connection && call.connection.ended) return;
    const activation = this.#activation;
    const limited = this.#limiter?.refuses(call);
    if (limited !== undefined) return call.reply.error(limited).release();
    const auth = this.#auth;
    if (auth === undefined || call.connection !== undefined) return this.#pass(call);
    checkEntry(activation, auth, call).then(
      () => (this.accepting ? this.#pass(call) : call.reply.error(actorErrors.stopping()).release()),
      (cause: unknown) => activation.emit(call.reply.error(cause)),
    );
  }

  #pass(call: ActionCall): void {
    const activation = this.#activation;
    const refusal = refusalOf(activation, call);
    if (refusal !== undefined) {
      activation.emit(call.reply.error(refusal));
      return;
    }
    const kept = call.send && Kept.of(activation);
    if (call.send === undefined || kept === undefined) passCall(activation, call);
    else kept.accept(call, call.send);
  }

  async connect(request: ConnectRequest): Promise<ActorConnection> {
    if (!this.accepting) throw actorErrors.stopping();
    const refusal = this.#limiter?.refusesClient(request.params);
    if (refusal !== undefined) throw refusal;
    const auth = this.#auth;
    try {
      if (auth !== undefined) await checkEntry(this.#activation, auth, request);
      if (!this.accepting) throw actorErrors.stopping();
      return await this.#activation.clients.connect(request);
    } catch (cause) {
      // What refused may depend on what isn't durable yet; one that the end has cut short refuses nobody.
      const durable = await this.#activation.durable().then(
        () => true,
        () => false,
      );
      throw durable && this.accepting ? cause : actorErrors.stopping();
    }
  }

  open(asked: RawRequest): void {
    if (!this.accepting) return asked.refused(actorErrors.stopping());
    const request = this.#limiter === undefined ? asked : this.#limiter.admit(asked);
    if (request === undefined) return;
    const auth = this.#auth;
    if (auth === undefined) return this.#open(request);
    checkEntry(this.#activation, auth, { params: request.params, request: requestOf(request) }).then(
      () => (this.accepting ? this.#open(request) : request.refused(actorErrors.stopping())),
      (cause: unknown) => request.refused(cause),
    );
  }

  #open(request: RawRequest): void {
    if (request.kind === "http") this.#activation.requests.open(request);
    else this.#activation.sockets.open(request);
  }

  settled(): Promise<void> {
    return this.#activation.gate.barrier();
  }

  stop(reason: StopReason): Promise<void> {
    const activation = this.#activation;
    const { phase } = activation;
    if (phase.tag === "stopping") return phase.done;
    if (phase.tag === "stopped") return Promise.resolve();
    activation.kept?.stop();
    const stopped = Promise.withResolvers<void>();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    activation.phase = { tag: "stopping", stopped, done };
    void this.#finish(reason, stopped.promise).then(() => {
      this.#wakeLater(reason);
      resolve();
      if (this.#goesOn && !activation.doomed) this.#wake?.(this.record.id);
    });
    return done;
  }

  report(): InstanceReport {
    const { phase, work, clients, descriptor, alarmAt } = this.#activation;
    const awakeReasons = work.reasons();
    if (descriptor.options.noSleep) awakeReasons.push("option noSleep");
    return {
      phase: phase.tag,
      awakeReasons,
      connections: clients.size,
      actionsInFlight: work.count("action"),
      alarmAt,
      clients: clients.all,
    };
  }

  /** Where it runs is given up: it sleeps, and is woken elsewhere by the next who needs it. */
  #leave(): void {
    const { work, descriptor, request } = this.#activation;
    this.#goesOn = descriptor.options.noSleep || work.count("carried") > 0;
    request.host.requestStop(this, "sleep");
  }

  async #finish(reason: StopReason, stopped: Promise<void>): Promise<void> {
    const activation = this.#activation;
    if (reason === "destroy") activation.doom();
    if (reason === "broken") this.#say(reason, 0);
    else if (!activation.gone) await this.#lastWords(reason, stopped);
    activation.calls.failAll(actorErrors.stopped(this.record.id));
    activation.kept?.end();
    activation.clients.refuseAll(actorErrors.stopping());
    activation.sockets.refuseAll(actorErrors.stopping());
    activation.requests.endAll(actorErrors.stopped(this.record.id));
    await this.#release(reason);
  }

  /** The code may write and answer until it says that it has stopped, or its time is over. */
  async #lastWords(reason: StopReason, stopped: Promise<void>): Promise<void> {
    const activation = this.#activation;
    const { sleepGracePeriod } = activation.descriptor.options;
    this.#say(reason, sleepGracePeriod);
    try {
      await withTimeout(activation.env, stopped, sleepGracePeriod + LAST_WORDS_MS, () =>
        actorErrors.hookTimedOut("stop", sleepGracePeriod),
      );
    } catch {
      activation.log.warn("the actor's code didn't stop in its grace period; it is left behind");
      // What it waits for is over, too: nobody keeps it.
      this.#say("broken", 0);
    }
  }

  #say(reason: StopReason, graceMs: number): void {
    this.#activation.say({
      $case: "stop",
      value: { reason: reasons[reason], graceMs: wireTimeout(graceMs) },
    });
  }

  async #release(reason: StopReason): Promise<void> {
    const activation = this.#activation;
    const { gate } = activation;
    await activation.sql.abandon(actorErrors.stopped(this.record.id));
    if (reason === "broken" || gate.broken !== undefined) {
      gate.break(actorErrors.stopped(this.record.id));
      // Who has lost nothing stays, for the next life.
      if (!activation.doomed) activation.sleepers.hibernate("broken");
      activation.closeAll({ kind: "broken", text: "storage.commit_failed" });
    } else {
      if (activation.doomed) activation.closeAll({ kind: "destroyed", text: "actor.destroyed" });
      else {
        if (reason === "sleep") activation.sleepers.hibernate("sleep");
        activation.closeAll({ kind: "stopped", text: "actor.restarting" });
      }
      await activation.durable().catch((cause: unknown) => {
        activation.log.error("what the actor wrote last could not be stored", { cause });
      });
    }
    activation.phase = { tag: "stopped" };
    activation.hangUp();
    await activation.request.store.close();
  }

  /** An alarm that is left wakes the actor again. */
  #wakeLater(reason: StopReason): void {
    const activation = this.#activation;
    const { host } = activation.request;
    const broken = reason === "broken" || activation.gate.broken !== undefined;
    // What a broken activation wrote, its end for good too, may not be stored: whoever has the alarms must look.
    if (broken) host.alarm(this, undefined);
    else if (!activation.doomed && activation.alarmAt !== null) host.alarm(this, activation.alarmAt);
  }
}

/** Why a call isn't passed on. Nothing ran. */
function refusalOf(activation: CarriedActivation, call: ActionCall): TroupeError | undefined {
  const { name, idempotency } = activation.declaration;
  const missing = unknownMember(activation, call);
  if (missing !== undefined) return missing;
  if (call.idempotencyKey !== undefined && !idempotency) return idempotencyErrors.unsupported(name);
  if (activation.calls.leftMs(call) === 0) return callErrors.deadlineExceeded();
  return undefined;
}

/** All start hooks together, and the way there and back. Code that doesn't tell hooks apart has the time of `onWake`. */
function startTimeoutMs({ descriptor, declaration }: CarriedActivation): number {
  const { options } = descriptor;
  if (declaration.optionsKept?.includes("onCreateTimeout") !== true)
    return options.onWakeTimeout + LAST_WORDS_MS;
  const hooks = [
    options.onMigrateTimeout,
    options.createStateTimeout,
    options.onCreateTimeout,
    options.createVarsTimeout,
    options.onWakeTimeout,
  ];
  return hooks.reduce((sum, timeoutMs) => sum + timeoutMs, LAST_WORDS_MS);
}

/** The error of a call of what the code hasn't declared. */
function unknownMember({ declaration }: CarriedActivation, call: ActionCall): TroupeError | undefined {
  const { name, actions, queues = [] } = declaration;
  if (call.send !== undefined)
    return queues.includes(call.name) ? undefined : queueErrors.notFound(name, call.name);
  return actions.includes(call.name) ? undefined : actorErrors.actionNotFound(name, call.name);
}
