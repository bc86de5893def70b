/**
 * One line of the bench: what it measures, what it should reach, what it reached.
 */

/** A figure with what is printed beside it. */
export interface Figure {
  /** The measured value: a ratio, microseconds, milliseconds, seconds, bytes or operations a second, as the line says. */
  readonly value: number;
  /** CPU of the server for one operation, microseconds. */
  readonly cpuUs?: number;
  /** The floor's CPU for one operation, microseconds. */
  readonly floorCpuUs?: number;
  /** Bytes that the server handed to the operating system to write, for one operation: sockets and files. */
  readonly bytes?: number;
  /** In words: absolute figures, how many operations. */
  readonly detail: string;
}

/** A line that can't be measured here, and what to do about it. */
export interface Unmeasured {
  readonly missing: string;
}

/** A line. */
export interface Line {
  readonly name: string;
  readonly work: string;
  /** How the value is written. */
  readonly unit: "ratio" | "us" | "ms" | "s" | "bytes" | "perSecond";
  readonly target: number;
  /** Whether a greater value is better. */
  readonly better: "greater" | "less";
  /** The peers' figure for comparison, from runs of theirs on a machine of this kind. */
  readonly peers: string;
  measure(rounds: number): Promise<Figure | Unmeasured>;
}

/** A value in its line's unit. */
export function format(line: Pick<Line, "unit">, value: number): string {
  switch (line.unit) {
    case "ratio":
      return value.toFixed(2);
    case "us":
      return `${value.toFixed(2)} µs`;
    case "perSecond":
      return `${Math.round(value)}/s`;
    case "ms":
      return `${value.toFixed(2)} ms`;
    case "s":
      return `${value.toFixed(2)} s`;
    case "bytes":
      return `${Math.round(value)} B`;
  }
}

/** True when a value reaches its line's target. */
export function reached(line: Line, value: number): boolean {
  return line.better === "greater" ? value >= line.target : value <= line.target;
}
