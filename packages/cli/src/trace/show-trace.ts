/** A trace for a terminal: a line for each scope and mark, below what it happened in. */
import { printable } from "./printable.ts";
import { sessionsOf, spanOf, type Trace, type TraceNode, type TraceSession } from "./read-trace.ts";

const VALUE_LENGTH = 100;

/** Lines, the last one a sum. Where there is more than one session, each has a line above its own. */
export function showTrace(trace: Trace): string {
  const { events } = trace;
  const sessions = sessionsOf(trace);
  const lines = sessions.flatMap((session, n) => [
    ...(sessions.length < 2 ? [] : [...(n === 0 ? [] : [""]), printable(describeSession(session))]),
    ...session.roots.flatMap((root) => [lineOf(root), ...below(root, "")]),
  ]);
  if (events === 0) return "No events: nothing was called while this was written\n";
  return [...lines, "", describeEvents(trace), ""].join("\n");
}

/** For people: how many there are, and what of the file isn't among them. */
export function describeEvents({ events, unreadable }: Trace): string {
  const lost =
    unreadable === 0 ? "" : `, ${unreadable} ${unreadable === 1 ? "line" : "lines"} that could not be read`;
  return `${events} events${lost}`;
}

/** For people: whose, when, how long. */
export function describeSession({ id, roots }: TraceSession): string {
  const { began, ended } = spanOf(roots);
  const at = new Date(began).toISOString().slice(0, 19).replace("T", " ");
  return `${id === undefined ? "No session" : `Session ${id}`}, ${at} UTC, ${duration(ended - began)}`;
}

function below({ children }: TraceNode, indent: string): string[] {
  return children.flatMap((child, index) => {
    const last = index === children.length - 1;
    return [
      `${indent}${last ? "└─ " : "├─ "}${lineOf(child)}`,
      ...below(child, `${indent}${last ? "   " : "│  "}`),
    ];
  });
}

function lineOf(node: TraceNode): string {
  if (node.kind === "mark") {
    const said = node.error === undefined ? shortValue(node.input) : `✗ ${node.error}`;
    return printable(`• ${[node.name, ...node.facts, said].filter(Boolean).join("  ")}`);
  }
  const parts = [
    node.name,
    node.category,
    node.tookMs === undefined ? "has no end" : duration(node.tookMs),
    ...node.facts,
    node.error === undefined ? undefined : `✗ ${node.error}`,
  ];
  return printable(parts.filter((part) => part !== undefined).join("  "));
}

/** Milliseconds as people say them. */
export function duration(ms: number): string {
  if (ms < 1) return `${(ms * 1_000).toFixed(0)} µs`;
  return ms < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** The begin of what was said, in one line. */
export function shortValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = JSON.stringify(value);
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH - 1)}…` : text;
}
