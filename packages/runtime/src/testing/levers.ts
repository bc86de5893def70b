import type { ActorHost } from "../host/actor-host.ts";
import type { CrashingStorage, CrashPoint } from "./crashing-storage.ts";
import { testErrors } from "./errors.ts";
import type { TestActor } from "./test-setup.ts";

/** What the levers move. */
export interface LeverParts {
  /** Settles when nothing is left to do. */
  readonly idle: () => Promise<void>;
  readonly host: ActorHost;
  readonly storage: CrashingStorage;
}

/** What a test may do to actors: see `TestSetup`. */
export class Levers {
  readonly #parts: LeverParts;

  constructor(parts: LeverParts) {
    this.#parts = parts;
  }

  async evict(actor: TestActor): Promise<void> {
    await this.#parts.host.sleep(typeof actor === "string" ? actor : await actor.resolve());
  }

  async crash(actorId: string, at: CrashPoint | undefined): Promise<void> {
    const { host, storage } = this.#parts;
    if (at !== undefined) {
      await storage.arm(actorId, at);
      // Its gate has asked the host for the end, which comes in a turn of the host's own.
      await this.#parts.idle();
      return;
    }
    const instance = host.instance(actorId);
    if (instance === undefined) return;
    // What waits to be stored fails at its own commit, as it does at a crash point; whoever waits for nothing is ended here.
    storage.cutOff(actorId);
    await this.#parts.idle();
    host.requestStop(instance, "broken");
    await this.#parts.idle();
  }

  async expectAsleep(actorId: string): Promise<void> {
    await this.#parts.idle();
    const instance = this.#parts.host.instance(actorId);
    if (instance === undefined) return;
    const { edits: _, ...report } = instance.report();
    throw testErrors.notAsleep(actorId, report);
  }
}
