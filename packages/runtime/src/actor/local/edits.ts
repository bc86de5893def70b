/**
 * What people change by hand of an actor of this process. Each change goes the way that the actor's own code would go, in
 * a turn of its own: with traps, checks and `onStateChange`, in the next batch.
 */
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import type { InstanceEdits } from "../../ports/inspection.ts";
import type { Activation } from "./activation.ts";
import { executeByHand } from "./database-client.ts";

/** The edits of one activation. */
export class LocalEdits implements InstanceEdits {
  readonly #activation: Activation;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  setState(property: string, value: unknown): void {
    const { state } = this.#activation;
    this.#activation.enter(() => Reflect.set(state.proxy, property, value));
  }

  removeState(property: string): boolean {
    const { proxy } = this.#activation.state;
    if (!Object.hasOwn(proxy, property)) return false;
    return this.#activation.enter(() => Reflect.deleteProperty(proxy, property));
  }

  cancelSchedule(id: string): boolean {
    return this.#activation.hasSchedules && this.#activation.schedules.cancel(id);
  }

  fireSchedule(id: string): string | undefined {
    if (!this.#activation.hasSchedules) return undefined;
    const { schedules, env } = this.#activation;
    const call = schedules.get(id);
    const runAt = env.clock.now();
    if (call?.failed !== undefined) return schedules.again(id, runAt) ? id : undefined;
    if (call === undefined || !schedules.cancel(id)) return undefined;
    const { action, args, name, retry } = call;
    return schedules.add({ runAt, action, args, name, retry });
  }

  sql(sql: string, params: BindParams): Promise<ExecuteResult> {
    const { database } = this.#activation;
    return this.#activation.enter(() => executeByHand(database, sql, params));
  }
}
