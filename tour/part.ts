/** A part of the tour, and how it tells what it saw. */
import { performance } from "node:perf_hooks";

/** One slice through the house. */
export interface Part {
  readonly title: string;
  /** Throws when something isn't as it should be. */
  run(report: Report): Promise<void>;
}

const COLUMN = 72;

/** Prints what a part saw. */
export class Report {
  /** Something that was seen, and a figure for it. */
  saw(what: string, figure = ""): void {
    process.stdout.write(`   ${figure === "" ? what : `${what.padEnd(COLUMN)} ${figure}`}\n`);
  }

  /** Something that this machine can't show. */
  missing(what: string, why: string): void {
    this.saw(`${what}: not shown here, ${why}`);
  }

  failed(cause: unknown): void {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    process.stdout.write(`   FAILED: ${text}\n`);
  }
}

/** Throws unless both are the same, as JSON shows them. */
export function same(what: string, seen: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a}, expected ${b}`);
}

/** The median time of one call among `calls`, one after the other. */
export async function median(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return times[calls >> 1] ?? 0;
}

/** Milliseconds as people read them. */
export function shown(ms: number): string {
  return ms < 1 ? `${Math.round(ms * 1_000)} µs` : `${ms.toFixed(1)} ms`;
}
