/**
 * Reads a trace that was written as ATOF, a line of JSON each, and puts its scopes together: a tree by parents, in the order
 * in which things began. A trace may be cut anywhere, by a crash or because its program still runs: a scope without an end is
 * told as one, and a last line that is half there is left out.
 */
import { createReadStream } from "node:fs";
import { readCall, readFailure, readRefusal, readToolCall } from "@troupe/relay";
import { traceErrors } from "../errors.ts";
import { readDecision } from "../gateway/tool-decision.ts";

/** What lies deeper is told as a root: it would be unreadable, and a chain of parents in a file may also be a circle. */
const MOST_DEPTH = 100;

type Fields = Readonly<Record<string, unknown>>;

/** A scope or a mark, with what is below it. */
export interface TraceNode {
  readonly kind: "scope" | "mark";
  readonly name: string;
  /** "llm", "tool", "agent" …; of marks often none. */
  readonly category: string | undefined;
  /** Milliseconds since 1970, with microseconds behind the point. */
  readonly beganAt: number;
  /** Milliseconds; undefined: it had not ended. */
  readonly tookMs: number | undefined;
  /** Whose it is, by the run or the agent that began it; undefined: nobody said. */
  readonly session: string | undefined;
  /** What went wrong or was refused, if anything. */
  readonly error: string | undefined;
  /** Facts that a line has room for, such as a model and its tokens, or the tool that an answer asks for. */
  readonly facts: readonly string[];
  /** Input of a scope, or what a mark says. */
  readonly input: unknown;
  readonly output: unknown;
  readonly children: TraceNode[];
}

/** What a file tells. */
export interface Trace {
  readonly roots: readonly TraceNode[];
  readonly events: number;
  /** Lines that say nothing that could be read. */
  readonly unreadable: number;
}

interface OpenNode {
  readonly start: Fields | undefined;
  readonly end: Fields | undefined;
  readonly mark: Fields | undefined;
}

/** What one agent did, or what nobody said whose it is. */
export interface TraceSession {
  readonly id: string | undefined;
  readonly roots: readonly TraceNode[];
}

/** A trace by its sessions, in the order in which they began: a file may have those of many runs. */
export function sessionsOf({ roots }: Trace): readonly TraceSession[] {
  const found = Map.groupBy(roots, ({ session }) => session);
  return Array.from(found, ([id, own]) => ({ id, roots: own }));
}

/** When the first of them began, and the last that is known of ended. */
export function spanOf(roots: readonly TraceNode[]): { readonly began: number; readonly ended: number } {
  // Not by spreading them: a gateway's trace may have more roots than a call has room for arguments.
  const began = roots.reduce((first, { beganAt }) => Math.min(first, beganAt), roots[0]?.beganAt ?? 0);
  return { began, ended: roots.reduce((last, root) => Math.max(last, endOf(root)), began) };
}

function endOf({ beganAt, tookMs, children }: TraceNode): number {
  return children.reduce((last, child) => Math.max(last, endOf(child)), beganAt + (tookMs ?? 0));
}

/** Throws `trace.cannot_read`, and `trace.not_atof` where there are lines and none is an event. An empty one is of a run without calls. */
export async function readTrace(path: string): Promise<Trace> {
  const nodes = new Map<string, OpenNode>();
  let events = 0;
  let unreadable = 0;
  for await (const line of linesOf(path)) {
    if (line.trim() === "") continue;
    const event = eventOf(line);
    if (event === undefined) unreadable += 1;
    else {
      events += 1;
      keep(nodes, event);
    }
  }
  if (events === 0 && unreadable > 0) throw traceErrors.notAtof(path);
  return { roots: treeOf(nodes), events, unreadable };
}

/** By their one end, whatever else in a text some take for one: JSON leaves U+2028 as it is. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path, "utf8");
  let begun: string[] = [];
  try {
    for await (const text of file) {
      const [first = "", ...lines] = String(text).split("\n");
      begun.push(first);
      for (const line of lines) {
        yield begun.join("");
        begun = [line];
      }
    }
    yield begun.join("");
  } catch (cause) {
    throw traceErrors.cannotRead(path, cause);
  } finally {
    file.destroy();
  }
}

function eventOf(line: string): Fields | undefined {
  try {
    const event = record(JSON.parse(line));
    const texts = [event["atof_version"], event["uuid"], event["name"]];
    return texts.every((text) => typeof text === "string") && !Number.isNaN(timeOf(event))
      ? event
      : undefined;
  } catch {
    return undefined;
  }
}

function keep(nodes: Map<string, OpenNode>, event: Fields): void {
  const id = String(event["uuid"]);
  const known = nodes.get(id) ?? { start: undefined, end: undefined, mark: undefined };
  if (event["kind"] === "mark") nodes.set(id, { ...known, mark: event });
  else if (event["scope_category"] === "end") nodes.set(id, { ...known, end: event });
  else nodes.set(id, { ...known, start: event });
}

function treeOf(nodes: ReadonlyMap<string, OpenNode>): TraceNode[] {
  const made = new Map([...nodes].map(([id, node]) => [id, nodeOf(node)]));
  const parents = new Map([...nodes].map(([id, node]) => [id, parentOf(node)]));
  const roots: TraceNode[] = [];
  for (const [id, node] of made) {
    const parent = isDeep(parents, id) ? undefined : made.get(parents.get(id) ?? "");
    (parent?.children ?? roots).push(node);
  }
  for (const { children } of made.values()) children.sort(byStart);
  return roots.sort(byStart);
}

function parentOf({ start, end, mark }: OpenNode): string {
  return String((start ?? end ?? mark)?.["parent_uuid"]);
}

function isDeep(parents: ReadonlyMap<string, string>, id: string): boolean {
  let above: string | undefined = id;
  for (let depth = 0; above !== undefined && depth <= MOST_DEPTH; depth += 1) above = parents.get(above);
  return above !== undefined;
}

function nodeOf({ start, end, mark }: OpenNode): TraceNode {
  const first = start ?? end ?? mark ?? {};
  const said = { name: mark?.["name"], data: mark?.["data"] };
  const asked = readToolCall(said);
  const decision = readDecision(said);
  const beganAt = timeOf(first);
  return {
    kind: mark === undefined ? "scope" : "mark",
    name: String(first["name"]),
    category: typeof first["category"] === "string" ? first["category"] : undefined,
    beganAt,
    tookMs: start === undefined || end === undefined ? undefined : timeOf(end) - beganAt,
    session: sessionOf(first),
    error:
      decision?.refusal ?? readFailure((end ?? mark)?.["metadata"]) ?? readRefusal((end ?? mark)?.["data"]),
    facts:
      asked === undefined && decision === undefined
        ? factsOf({ ...record(start?.["category_profile"]), ...record(end?.["category_profile"]) })
        : [asked?.tool ?? decision?.tool ?? ""],
    input: asked === undefined ? (start ?? mark)?.["data"] : asked.args,
    output: end?.["data"],
    children: [],
  };
}

function sessionOf(event: Fields): string | undefined {
  const { session_id: session } = record(event["metadata"]);
  return typeof session === "string" ? session : undefined;
}

function factsOf(profile: Fields): string[] {
  const { model, promptTokens, completionTokens = 0, cost } = readCall(profile);
  return [
    ...(model === undefined ? [] : [model]),
    ...(promptTokens === undefined ? [] : [`${promptTokens} in, ${completionTokens} out`]),
    ...(cost === undefined ? [] : [`${cost.total.toFixed(4)} ${cost.currency}`]),
  ];
}

/** `2026-11-21T10:00:00.123456Z`: JavaScript's dates know no microseconds. */
function timeOf(event: Fields): number {
  const text = String(event["timestamp"]);
  const micros = /\.\d{3}(\d{1,3})Z$/.exec(text)?.[1] ?? "";
  return Date.parse(text) + Number(micros.padEnd(3, "0")) / 1_000;
}

function byStart(one: TraceNode, other: TraceNode): number {
  return one.beganAt - other.beganAt;
}

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
