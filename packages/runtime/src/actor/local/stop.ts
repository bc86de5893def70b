/**
 * The way out of a life.
 *
 *   sleep:   abort fires → run drains → in-flight actions are awaited → onSleep → connections close or hibernate → commit → release
 *   destroy: the same with onDestroy; then the directory forgets the actor. That it ends for good is stored first, with
 *            what asked for it: a crash on the way leaves an actor that is gone for everybody, and whoever looks for it
 *            tells the directory. A sleep in which the end is asked for becomes one, behind its onSleep.
 *
 * All of it together has the grace period; what isn't done by then is left behind, and its writes throw
 * `actor.stopped`. What was written before is committed: a stop never gives up durable work. A broken activation (its
 * gate failed) skips everything that could write.
 */
import type { TimerHandle } from "@troupe/base";
import { closeReasons } from "@troupe/protocol";
import { actorErrors } from "../../errors.ts";
import type { StopReason } from "../../ports/instance.ts";
import type { Activation } from "./activation.ts";
import { LocalContext } from "./context.ts";

/** Ends an activation that has begun to stop. Never rejects. */
export async function stop(activation: Activation, reason: StopReason): Promise<void> {
  // Before the signal, which ends waits as well: whether `run` was at work is known now.
  activation.queueing?.end();
  activation.abort.abort(() => actorErrors.stopped(activation.record.id));
  if (activation.hasSchedules) activation.schedules.stop();
  if (reason !== "broken") activation.expiry?.stop();
  if (reason === "broken") {
    await release(activation, reason);
    return;
  }
  if (reason === "destroy") activation.doom();
  const grace = new Grace(activation);
  await grace.within("run", activation.running);
  await grace.within("actions in flight", activation.work.drained());
  await grace.within(hookName(reason), lastHook(activation, reason));
  if (reason !== "destroy" && activation.doomed)
    await grace.within(hookName("destroy"), lastHook(activation, "destroy"));
  await grace.within("onDisconnect", closeConnections(activation, reason));
  // What has come to its end in the meantime isn't among them.
  if (reason === "sleep" && !activation.doomed) {
    activation.connections.hibernate();
    await grace.within("onDisconnect", closeRest(activation));
  }
  grace.end();
  await release(activation, reason);
}

/** Those that end with this life. A client that hibernates outlives a sleep, not the end of the actor or of its host. */
function closeConnections(activation: Activation, reason: StopReason): Promise<void> {
  const { connections, doomed } = activation;
  if (doomed) return connections.closeAll("destroyed", closeReasons.destroyed);
  if (reason === "sleep") return connections.closeOwn("stopped", closeReasons.restarting);
  return connections.closeAll("stopped", closeReasons.restarting);
}

/** Those that could not hibernate, which are few and mostly none. */
function closeRest({ connections }: Activation): Promise<void> | undefined {
  return connections.all.size === 0 ? undefined : connections.closeAll("stopped", closeReasons.restarting);
}

function hookName(reason: StopReason): string {
  return reason === "destroy" ? "onDestroy" : "onSleep";
}

async function lastHook(activation: Activation, reason: StopReason): Promise<void> {
  const { hooks } = activation.behaviour;
  const hook = reason === "destroy" ? hooks.onDestroy : hooks.onSleep;
  if (hook === undefined) return;
  try {
    await activation.hook(hookName(reason), Infinity, hook, [new LocalContext(activation)]);
  } catch (cause) {
    activation.log.error(`${hookName(reason)} failed`, { cause });
  }
}

async function release(activation: Activation, reason: StopReason): Promise<void> {
  activation.abandonTransaction();
  if (reason === "broken") {
    activation.phase = { tag: "stopped", reason };
    activation.gate.break(actorErrors.stopped(activation.record.id));
    // Who has lost nothing stays, for the next life.
    if (!activation.doomed) activation.connections.hibernate();
    void activation.connections.closeAll("broken", "storage.commit_failed");
  } else {
    // The last batch. From here on writes throw: none can come behind it and be lost without its writer knowing.
    const saved = activation.lastSave();
    activation.phase = { tag: "stopped", reason };
    try {
      await saved;
    } catch (cause) {
      // The gate is broken: it has failed all that waited for this batch, so nobody was told of what is lost.
      activation.log.error("the last save of a stop failed", { reason, cause });
    }
  }
  activation.letGo();
  await activation.store.close();
}

/** The time that a whole stop may take. */
class Grace {
  readonly #activation: Activation;
  readonly #over: Promise<"over">;
  readonly #timer: TimerHandle;

  constructor(activation: Activation) {
    this.#activation = activation;
    const { promise, resolve } = Promise.withResolvers<"over">();
    this.#over = promise;
    const { sleepGracePeriod } = activation.descriptor.options;
    this.#timer = activation.env.timers.set(() => resolve("over"), sleepGracePeriod);
  }

  /** Waits for `work`, but not past the grace period. */
  async within(what: string, work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return;
    // Past the period what ends in the turn that it starts in still counts.
    const turnOver = this.#over.then(() => this.#turnEnd());
    const done = await Promise.race([work.then(() => "done" as const), turnOver]);
    if (done === "over")
      this.#activation.log.warn("the grace period is over; a stop goes on without it", { what });
  }

  #turnEnd(): Promise<"over"> {
    return new Promise((resolve) => this.#activation.env.afterTurn(() => resolve("over")));
  }

  end(): void {
    this.#activation.env.timers.clear(this.#timer);
  }
}
