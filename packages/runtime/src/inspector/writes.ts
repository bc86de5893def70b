/**
 * What the inspector changes, where it may. An actor that sleeps is woken for it; a change is answered when it is durable.
 */
import type { Env } from "@troupe/base";
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import { LocalCall, type LocalTerms } from "../gateway/local-call.ts";
import type { ActorHost } from "../host/actor-host.ts";
import { StartError } from "../host/failed-starts.ts";
import type { InstanceEdits } from "../ports/inspection.ts";
import type { ActorInstance } from "../ports/instance.ts";
import { inspectorErrors } from "./errors.ts";
import { readable } from "./tables.ts";

/** The call is no actor's, and nobody leaves it. */
const NOBODY: LocalTerms = {
  caller: undefined,
  chain: undefined,
  depth: 1,
  onAbandoned: undefined,
  until: undefined,
  idempotencyKey: undefined,
};

/** Changes actors. */
export class Writes {
  readonly #host: ActorHost;
  readonly #env: Pick<Env, "afterTurn">;

  constructor(host: ActorHost, env: Pick<Env, "afterTurn">) {
    this.#host = host;
    this.#env = env;
  }

  /** Rejects with what the action throws. */
  async action(id: string, name: string, args: readonly unknown[], params: unknown): Promise<unknown> {
    const instance = await this.#load(id);
    const { afterTurn } = this.#env;
    return await new Promise((resolve, reject) =>
      instance.action(new LocalCall({ name, args, params, terms: NOBODY, resolve, reject, afterTurn })),
    );
  }

  setState(id: string, set: Readonly<Record<string, unknown>>, remove: readonly string[]): Promise<void> {
    return this.#edit(id, "change its state", (edits) => {
      for (const [property, value] of Object.entries(set)) edits.setState(property, value);
      for (const property of remove) edits.removeState(property);
    });
  }

  /** The id of the call that runs now; nothing when there is no such schedule. */
  fire(id: string, schedule: string): Promise<string | undefined> {
    return this.#edit(id, "run its schedules", (edits) => edits.fireSchedule(schedule));
  }

  cancel(id: string, schedule: string): Promise<boolean> {
    return this.#edit(id, "cancel its schedules", (edits) => edits.cancelSchedule(schedule));
  }

  sql(id: string, sql: string, params: BindParams): Promise<ExecuteResult> {
    return this.#edit(id, "write to its database", async (edits) => {
      try {
        return await edits.sql(sql, params);
      } catch (cause) {
        throw readable(cause);
      }
    });
  }

  /** Settles when it is awake. Rejects with what its start failed with. */
  async wake(id: string): Promise<void> {
    await this.#load(id);
  }

  /** Settles when it sleeps. */
  sleep(id: string): Promise<void> {
    return this.#host.sleep(id);
  }

  destroy(id: string): Promise<void> {
    return this.#host.destroy(id);
  }

  /** Who may change an actor may know what keeps it from starting. */
  async #load(id: string): Promise<ActorInstance> {
    try {
      return await this.#host.load({ kind: "id", id });
    } catch (cause) {
      const failed = this.#host.failedStarts.get(id);
      if (!StartError.is(cause) || failed === undefined) throw cause;
      // It has its line in the log.
      throw new StartError(inspectorErrors.startFailed(cause, failed), cause, cause);
    }
  }

  async #edit<R>(id: string, what: string, change: (edits: InstanceEdits) => R | Promise<R>): Promise<R> {
    const instance = await this.#load(id);
    const { edits } = instance.report();
    if (edits === undefined) throw inspectorErrors.notSupported(what);
    const result = await change(edits);
    await instance.settled();
    return result;
  }
}
