/**
 * WatchedInstance: an activation of any kind, seen from outside. It stands before the real one at the port, and passes
 * everything on; the host knows this one alone (`host/named-host.ts`).
 */
import type { ActorRecord, Generation } from "../ports/directory.ts";
import type {
  ActionCall,
  ActorConnection,
  ActorInstance,
  ConnectRequest,
  InstanceReport,
  StopReason,
} from "../ports/instance.ts";
import type { RawRequest } from "../ports/raw.ts";
import type { Whole } from "../ports/whole.ts";

/** An activation that somebody stands before, who sees its calls and its end. */
export abstract class WatchedInstance implements Whole<ActorInstance> {
  protected readonly instance: ActorInstance;
  #stopping: Promise<void> | undefined;

  constructor(instance: ActorInstance) {
    this.instance = instance;
  }

  get record(): ActorRecord {
    return this.instance.record;
  }

  get generation(): Generation {
    return this.instance.generation;
  }

  get accepting(): boolean {
    return this.instance.accepting;
  }

  get doomed(): boolean {
    return this.instance.doomed;
  }

  connect(request: ConnectRequest): Promise<ActorConnection> {
    return this.instance.connect(request);
  }

  open(request: RawRequest): void {
    this.instance.open(request);
  }

  settled(): Promise<void> {
    return this.instance.settled();
  }

  stop(reason: StopReason): Promise<void> {
    this.#stopping ??= this.stopOnce(reason);
    return this.#stopping;
  }

  report(): InstanceReport {
    return this.instance.report();
  }

  abstract action(call: ActionCall): void;

  /** However often it is asked to stop. */
  protected abstract stopOnce(reason: StopReason): Promise<void>;
}
