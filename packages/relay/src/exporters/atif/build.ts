/**
 * Builds a trajectory from a session's events.
 *
 * What a request says that was not said before is a step of the user; each response of a model is a step of the agent.
 * What a tool answers is observed in the step that asked for it: the one whose response has the call's id, else the last
 * of the agent's. Why a call was refused is a step of the system, since there is no call: what it would have said is in no event. Marks are
 * kept in `extra.marks`, each with the step that it came behind.
 */
import { detectCodec, detectResponseCodec } from "../../codecs/codecs.ts";
import { isObject, type JsonObject, present } from "../../codecs/json.ts";
import type { Json, MarkEvent, RelayEvent, ScopeEvent } from "../../events/event.ts";
import { readRefusal, readStopped } from "../../events/told-call.ts";
import {
  type DescribedCall,
  metadataOf,
  profileOf,
  requestOf,
  responseOf,
} from "../opentelemetry/described-call.ts";
import { modelOf } from "../opentelemetry/gen-ai.ts";
import { metricsOf, totalsOf } from "./metrics.ts";
import type { AtifAgent, AtifResult, AtifStep, AtifTrajectory } from "./trajectory.ts";

/** What is known of a session beside its events. */
export interface Session {
  readonly sessionId: string;
  /** Of this one of the session's trajectories. Default: it is the only one, and has the session's. */
  readonly trajectoryId?: string;
  readonly agent: AtifAgent;
  /** Events that are missing: there were more than are kept. */
  readonly missing: number;
}

/** The trajectory of a session. */
export function buildTrajectory(session: Session, events: readonly RelayEvent[]): AtifTrajectory {
  const builder = new Builder();
  for (const event of events) builder.add(event);
  const { steps, marks } = builder;
  const extra = present({
    marks: marks.length === 0 ? undefined : marks,
    missing_events: session.missing === 0 ? undefined : session.missing,
  });
  return {
    schema_version: "ATIF-v1.7",
    session_id: session.sessionId,
    trajectory_id: session.trajectoryId ?? session.sessionId,
    agent: session.agent,
    steps,
    final_metrics: totalsOf(steps),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

class Builder {
  readonly steps: AtifStep[] = [];
  readonly marks: Json[] = [];
  readonly #open = new Map<string, ScopeEvent>();
  readonly #names = new Map<string, string>();
  /** What users have said so far, as JSON. */
  #said: string[] = [];

  add(event: RelayEvent): void {
    if (event.kind === "mark") return this.#mark(event);
    this.#names.set(event.uuid, event.name);
    if (event.scope_category === "start") {
      this.#open.set(event.uuid, event);
      if (event.category === "llm") this.#users({ start: event, end: undefined, marks: [] });
      return;
    }
    const start = this.#open.get(event.uuid) ?? event;
    this.#open.delete(event.uuid);
    const call = { start, end: event, marks: [] };
    if (event.category === "llm") this.#agent(call);
    if (event.category === "tool") this.#observed(call);
  }

  #mark(mark: MarkEvent): void {
    const { uuid, parent_uuid, name, timestamp, data, metadata, category } = mark;
    const reason = readRefusal(data) ?? readStopped(mark);
    if (reason !== undefined) {
      const what = category === "tool" ? `The tool ${name} wasn't called` : "The model wasn't asked";
      this.#push({ source: "system", message: `${what}: ${reason}`, timestamp });
    }
    this.marks.push({ step_id: this.steps.length, uuid, parent_uuid, name, timestamp, data, metadata });
  }

  /** The users' messages behind those that were there before. */
  #users(call: DescribedCall): void {
    const { data } = call.start;
    const content = isObject(data) ? data.content : undefined;
    const request = requestOf(call) ?? detectCodec(content)?.decode({ headers: {}, content });
    const said = (request?.messages ?? [])
      .filter(({ role }) => role === "user")
      .map((message) => plainText(message.content ?? ""));
    const known = said.findIndex((text, n) => text !== this.#said[n]);
    for (const message of known === -1 ? [] : said.slice(known))
      this.#push({ source: "user", message, timestamp: call.start.timestamp, extra: this.#extra(call) });
    this.#said = said;
  }

  #agent(call: DescribedCall): void {
    const { end } = call;
    const response = responseOf(call) ?? detectResponseCodec(end?.data)?.decodeResponse(end?.data);
    const calls = (response?.tool_calls ?? []).map(({ id, name, arguments: args }, n) => ({
      tool_call_id: id === "" ? `${call.start.uuid}-${n}` : id,
      function_name: name === "" ? "unknown" : name,
      arguments: namedArguments(args),
    }));
    const model = response?.model ?? modelOf(call);
    this.#push({
      source: "agent",
      message: response?.message ?? (response === undefined ? plainText(end?.data ?? "") : ""),
      timestamp: end?.timestamp ?? call.start.timestamp,
      ...(model === undefined ? {} : { model_name: model }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      ...metricsOf(response?.usage),
      llm_call_count: 1,
      extra: {
        ...this.#extra(call),
        ...present({ llm_request: call.start.data ?? undefined, llm_response: end?.data ?? undefined }),
      },
    });
  }

  #observed(call: DescribedCall): void {
    const id = profileOf(call).tool_call_id;
    const known = typeof id === "string" && id !== "" ? id : call.start.uuid;
    const asked = this.steps.findLast((step) => step.tool_calls?.some((one) => one.tool_call_id === known));
    const step = asked ?? this.steps.findLast(({ source }) => source === "agent") ?? this.#alone(call);
    if (asked === undefined)
      step.tool_calls = [
        ...(step.tool_calls ?? []),
        {
          tool_call_id: known,
          function_name: call.start.name || "unknown",
          arguments: namedArguments(call.start.data),
        },
      ];
    step.observation ??= { results: [] };
    step.observation.results.push(this.#result(call, known));
  }

  #result(call: DescribedCall, id: string): AtifResult {
    const { end } = call;
    const failure = metadataOf(call)["otel.status_description"];
    const content = typeof failure === "string" ? failure : plainText(end?.data ?? "");
    const tool = end?.data ?? null;
    return {
      source_call_id: id,
      content,
      extra: { ...this.#extra(call), ...(typeof tool === "string" ? {} : { tool_result: tool }) },
    };
  }

  /** A tool that was called before any model. */
  #alone({ start }: DescribedCall): AtifStep {
    return this.#push({ source: "agent", message: "", timestamp: start.timestamp, llm_call_count: 0 });
  }

  #extra(call: DescribedCall): JsonObject {
    const { start, end } = call;
    const parent = start.parent_uuid;
    const metadata = metadataOf(call);
    return present({
      ancestry: {
        function_id: start.uuid,
        function_name: start.name,
        ...present({
          parent_id: parent ?? undefined,
          parent_name: parent === null ? undefined : this.#names.get(parent),
        }),
      },
      invocation:
        end === undefined
          ? undefined
          : {
              start_timestamp: seconds(start.timestamp),
              end_timestamp: seconds(end.timestamp),
              status: metadata["otel.status_code"] === "ERROR" ? "error" : "completed",
            },
      metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    });
  }

  #push(step: Omit<AtifStep, "step_id">): AtifStep {
    const numbered = { step_id: this.steps.length + 1, ...step };
    this.steps.push(numbered);
    return numbered;
  }
}

/** The format has arguments by name: what isn't, such as text that a model meant to be JSON, is the one called "value". */
function namedArguments(args: Json): JsonObject {
  if (args === null) return {};
  return isObject(args) ? args : { value: args };
}

function plainText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function seconds(timestamp: string): number {
  return Date.parse(timestamp) / 1_000;
}
