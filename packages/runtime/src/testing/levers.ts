import type { ActorHost } from "../host/actor-host.ts";
import type { Directory } from "../ports/directory.ts";
import { CRASH_POINTS, type CrashingStorage, type CrashPoint } from "./crashing-storage.ts";
import { testErrors } from "./errors.ts";
import type { TestActor } from "./test-setup.ts";

/** What the levers move. */
export interface LeverParts {
  /** Settles when nothing is left to do. */
  readonly idle: () => Promise<void>;
  readonly host: ActorHost;
  readonly storage: CrashingStorage;
  readonly directory: Pick<Directory, "get">;
}

/** What a test may do to actors: see `TestSetup`. */
export class Levers {
  readonly #parts: LeverParts;

  constructor(parts: LeverParts) {
    this.#parts = parts;
  }

  async evict(actor: TestActor): Promise<void> {
    if (typeof actor === "string") await this.#known(actor);
    await this.#parts.host.sleep(typeof actor === "string" ? actor : await actor.resolve());
  }

  async crash(actorId: string, at: CrashPoint | undefined): Promise<void> {
    const { host, storage } = this.#parts;
    if (at !== undefined && !CRASH_POINTS.includes(at)) throw testErrors.unknownCrashPoint(at, CRASH_POINTS);
    await this.#known(actorId);
    if (at !== undefined) {
      await storage.arm(actorId, at);
      host.hibernation.lose(actorId);
      // Its gate has asked the host for the end, which comes in a turn of the host's own.
      await this.#parts.idle();
      return;
    }
    const instance = host.instance(actorId);
    if (instance === undefined) return;
    // What waits to be stored fails at its own commit, as it does at a crash point; whoever waits for nothing is ended here.
    storage.cutOff(actorId);
    await this.#parts.idle();
    host.hibernation.lose(actorId);
    host.requestStop(instance, "broken");
    await this.#parts.idle();
  }

  async expectAsleep(actorId: string): Promise<void> {
    await this.#known(actorId);
    await this.#parts.idle();
    const instance = this.#parts.host.instance(actorId);
    if (instance === undefined) return;
    const { edits: _, ...report } = instance.report();
    throw testErrors.notAsleep(actorId, report);
  }

  /** A mistaken id would wait for ever, or hold for asleep what never was. */
  async #known(actorId: string): Promise<void> {
    const record = typeof actorId === "string" ? await this.#parts.directory.get(actorId) : undefined;
    if (record === undefined) throw testErrors.unknownActor(actorId);
  }
}
