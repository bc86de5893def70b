/**
 * Gauge: how much of a limit is used. Who is near it is warned once, and again only after a retreat.
 */
import { limits } from "@troupe/protocol";
import type { SandboxUse } from "../sandbox/sandbox.ts";

/** Limits that people are warned of. */
export type LimitName = "processes" | "processOutputBytes" | "processMs" | SandboxUse["limit"];

/** What a listener of `limitWarning` gets. */
export interface LimitWarning {
  readonly limit: LimitName;
  readonly used: number;
  readonly most: number;
  /** The process whose limit it is, if it is one's. */
  readonly pid?: number;
}

/** The use of one limit. */
export class Gauge {
  readonly most: number;
  readonly #warn: (used: number) => void;
  #used = 0;
  #warned = false;

  constructor(most: number, warn: (used: number) => void) {
    this.most = most;
    this.#warn = warn;
  }

  /** True when so much more fits. */
  fits(amount: number): boolean {
    return this.#used + amount <= this.most;
  }

  add(amount: number): void {
    this.set(this.#used + amount);
  }

  set(used: number): void {
    this.#used = used;
    const near = this.#used >= this.most * limits.sandboxWarnShare;
    if (near && !this.#warned) this.#warn(this.#used);
    this.#warned = near;
  }
}

/** Gauges of what a sandbox uses by itself; a driver that doesn't bound something tells nothing of it. */
export class SandboxGauges {
  readonly #warn: (warning: LimitWarning) => void;
  readonly #gauges = new Map<SandboxUse["limit"], Gauge>();

  constructor(warn: (warning: LimitWarning) => void) {
    this.#warn = warn;
  }

  set(use: SandboxUse): void {
    const { limit, used, most } = use;
    // Each command has a time of its own.
    if (limit === "execMs") return this.#warn(use);
    const gauge =
      this.#gauges.get(limit) ?? new Gauge(most, (near) => this.#warn({ limit, used: near, most }));
    this.#gauges.set(limit, gauge);
    gauge.set(used);
  }
}
