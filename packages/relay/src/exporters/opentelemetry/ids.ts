/**
 * Ids of spans and traces, and times, as OpenTelemetry has them.
 *
 * They are those of `traceparent`: the trace is the outermost scope's uuid, the span the last half of its own. So the
 * spans of several processes, and those of whom they call, are one trace.
 */
import { limits } from "@troupe/protocol";
import type { RelayEvent } from "../../events/event.ts";

/** Seconds and nanoseconds. */
export type HrTime = [number, number];

/** Who a span is. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const SAMPLED = 1;

/** Knows which trace a scope belongs to, from the events about it and its ancestors. */
export class Traces {
  /** Scope to outermost scope. Ended ones stay a while: what they left running parents to them. */
  readonly #roots = new Map<string, string>();

  /** The trace of what `event` is about. */
  of(event: RelayEvent): string {
    const { uuid, parent_uuid: parent } = event;
    const known = event.kind === "scope" ? this.#roots.get(uuid) : undefined;
    if (known !== undefined) return known;
    const root =
      event.propagation_root_uuid ?? (parent === null ? uuid : (this.#roots.get(parent) ?? parent));
    if (event.kind === "scope") this.#remember(uuid, root);
    return root;
  }

  #remember(uuid: string, root: string): void {
    this.#roots.set(uuid, root);
    if (this.#roots.size <= limits.relayOpenSpans * 2) return;
    const [oldest] = this.#roots.keys();
    if (oldest !== undefined) this.#roots.delete(oldest);
  }
}

/** The ids of a span. */
export function spanIds(rootUuid: string, uuid: string): SpanIds {
  return { traceId: digits(rootUuid), spanId: digits(uuid).slice(16), traceFlags: SAMPLED };
}

/** An event's timestamp. */
export function hrTime(timestamp: string): HrTime {
  const [, fraction = "0"] = /\.(\d+)/.exec(timestamp) ?? [];
  const seconds = Math.floor(Date.parse(timestamp) / 1_000);
  return [seconds, Number(fraction.padEnd(9, "0").slice(0, 9))];
}

/** From one time to another. */
export function between([fromSeconds, fromNanos]: HrTime, [toSeconds, toNanos]: HrTime): HrTime {
  const nanos = toNanos - fromNanos;
  return nanos < 0 ? [toSeconds - fromSeconds - 1, nanos + 1e9] : [toSeconds - fromSeconds, nanos];
}

function digits(uuid: string): string {
  return uuid.replaceAll("-", "").toLowerCase();
}
