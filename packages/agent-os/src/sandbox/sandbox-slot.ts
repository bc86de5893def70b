/**
 * SandboxSlot: an activation's one sandbox, booted by whoever needs it first.
 *
 *   empty ──get──▶ booting ──▶ up ──shutdown──▶ closed
 *                     └─failed─▶ empty
 *
 * Boot is single-flight: everybody who asks while it runs gets the same sandbox. Nothing on the way of a connection asks,
 * so that clients come and go while a boot takes its time. A boot that failed is forgotten: the next one who asks tries
 * again. A sandbox that comes up after the shutdown is shut down at once and shown to nobody.
 */
import { TroupeError } from "@troupe/base";
import { sandboxErrors } from "../errors.ts";
import type { FileStore } from "./file-store.ts";
import type { Mount } from "./mounts.ts";
import type { SandboxNetwork } from "./network.ts";
import type { Sandbox, SandboxDriver, SandboxUse } from "./sandbox.ts";
import type { UnsavedPath } from "./unsaved.ts";

type Phase =
  | { readonly tag: "empty" }
  | { readonly tag: "booting"; readonly sandbox: Promise<Sandbox>; readonly abort: AbortController }
  | { readonly tag: "up"; readonly sandbox: Promise<Sandbox> }
  | { readonly tag: "closed" };

/** What a slot is made of. */
export interface SandboxSlotParts {
  readonly driver: SandboxDriver;
  readonly files?: FileStore | undefined;
  readonly mounts?: readonly Mount[] | undefined;
  readonly network?: SandboxNetwork | undefined;
  /** What it uses of its limits, now and then. */
  readonly onUse?: (use: SandboxUse) => void;
  /** A sandbox is up; nobody gets it before this has settled. When it rejects the sandbox is given up. */
  readonly onBooted: () => Promise<void>;
  /** What the sandbox ran in was lost, or is up again. */
  readonly onState?: (state: "lost" | "up") => void;
  /** Other files than before can't be saved. */
  readonly onUnsaved?: (unsaved: readonly UnsavedPath[]) => void;
}

/** One activation's sandbox. */
export class SandboxSlot {
  readonly #parts: SandboxSlotParts;
  #phase: Phase = { tag: "empty" };
  /** It was told that the sandbox is down. */
  #isLost = false;

  constructor(parts: SandboxSlotParts) {
    this.#parts = parts;
  }

  /** True when a sandbox is up. */
  get up(): boolean {
    return this.#phase.tag === "up";
  }

  /** The sandbox, booted if need be. Rejects with `sandbox.boot_failed`, `sandbox.closed`, `package.missing`. */
  get(): Promise<Sandbox> {
    const phase = this.#phase;
    if (phase.tag === "closed") return Promise.reject(sandboxErrors.closed());
    if (phase.tag !== "empty") return phase.sandbox;
    const abort = new AbortController();
    const sandbox = this.#boot(abort);
    this.#phase = { tag: "booting", sandbox, abort };
    return sandbox;
  }

  /** The actor begins to stop: what waits for the sandbox waits no longer than that can. */
  hurry(): void {
    const phase = this.#phase;
    if (phase.tag !== "up") return;
    void phase.sandbox.then((sandbox) => sandbox.hurry?.()).catch(() => undefined);
  }

  /** Ends the sandbox for good; true when there was one that was up, and of whose end nobody was told. */
  async shutdown(): Promise<boolean> {
    const phase = this.#phase;
    this.#phase = { tag: "closed" };
    if (phase.tag === "booting") phase.abort.abort(sandboxErrors.closed());
    if (phase.tag !== "up") return false;
    // One that was given up meanwhile has been shut down.
    const sandbox = await phase.sandbox.catch(() => undefined);
    await sandbox?.shutdown();
    return sandbox !== undefined && !this.#isLost;
  }

  async #boot(abort: AbortController): Promise<Sandbox> {
    // The phase is set before a driver that fails at once can be heard of.
    await Promise.resolve();
    const { driver, files, mounts, network, onUse, onUnsaved } = this.#parts;
    const onState = (state: "lost" | "up") => this.#told(state);
    try {
      const { signal } = abort;
      const sandbox = await driver.boot({ signal, files, mounts, network, onUse, onState, onUnsaved });
      if (!this.#isBooting(abort)) {
        await sandbox.shutdown();
        throw sandboxErrors.closed();
      }
      this.#phase = { tag: "up", sandbox: this.#tell(sandbox) };
      return await this.#phase.sandbox;
    } catch (cause) {
      if (this.#isBooting(abort)) this.#phase = { tag: "empty" };
      throw TroupeError.is(cause) ? cause : sandboxErrors.bootFailed(cause);
    }
  }

  #told(state: "lost" | "up"): void {
    if (this.#phase.tag !== "up") return;
    this.#isLost = state === "lost";
    this.#parts.onState?.(state);
  }

  async #tell(sandbox: Sandbox): Promise<Sandbox> {
    try {
      await this.#parts.onBooted();
      return sandbox;
    } catch (cause) {
      if (this.#phase.tag === "up") this.#phase = { tag: "empty" };
      await sandbox.shutdown();
      throw cause;
    }
  }

  #isBooting(abort: AbortController): boolean {
    return this.#phase.tag === "booting" && this.#phase.abort === abort;
  }
}
