/** Spans of scopes that have ended and of marks that stand alone. */
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { MarkEvent } from "../../events/event.ts";
import { TOOL_CALL_MARK } from "../../events/tool-call-mark.ts";
import { type AttributeMap, attributes, type DescribedCall, metadataOf } from "./described-call.ts";
import { genAiAttributes, genAiName, toolCallAttributes } from "./gen-ai.ts";
import { between, hrTime, spanIds } from "./ids.ts";
import { openInferenceAttributes } from "./openinference.ts";

/** How scopes are put into words. */
export interface Projection {
  readonly type: "full" | "gen_ai" | "openinference";
  /** Tells what was said: messages, arguments, results. */
  readonly content: boolean;
  /** Attributes that are told under a second name. */
  readonly mappings: readonly { readonly key: string; readonly alias: string }[];
  /** Metadata whose names begin with one of these is told as attributes. */
  readonly promoted: readonly string[];
}

/** What all spans of an exporter have. */
export interface SpanParts {
  readonly projection: Projection;
  readonly resource: Resource;
  readonly instrumentationScope: { readonly name: string };
}

// `SpanKind` and `SpanStatusCode` of the API, which is a type here: nothing of the package is loaded for these.
const kinds = { internal: 0, client: 2 } as const;
const statuses: Readonly<Record<string, 0 | 1 | 2>> = { OK: 1, ERROR: 2 };

/** The span of a scope in the trace `root`. */
export function scopeSpan(call: DescribedCall, root: string, parts: SpanParts): ReadableSpan {
  const { start, end, marks } = call;
  const metadata = metadataOf(call);
  const description = metadata["otel.status_description"];
  const startTime = hrTime(start.timestamp);
  const endTime = hrTime(end?.timestamp ?? start.timestamp);
  const { projection, ...common } = parts;
  const told = start.attributes.includes("remote") || start.category === "llm" ? "client" : "internal";
  return {
    ...common,
    name: projection.type === "gen_ai" ? genAiName(call) : start.name,
    kind: kinds[told],
    ...contexts(start.uuid, start.parent_uuid, root),
    startTime,
    endTime,
    duration: between(startTime, endTime),
    status: {
      code: statuses[String(metadata["otel.status_code"])] ?? 0,
      ...(typeof description === "string" ? { message: description } : {}),
    },
    attributes: named(scopeAttributes(call, projection), projection),
    events: marks.map((mark) => ({
      name: mark.name,
      time: hrTime(mark.timestamp),
      attributes: markAttributes(mark, projection),
    })),
    ...nothingElse(),
  };
}

/** A span for a mark whose scope has ended or is another process'. */
export function markSpan(mark: MarkEvent, root: string, parts: SpanParts): ReadableSpan {
  const { projection, ...common } = parts;
  const time = hrTime(mark.timestamp);
  return {
    ...common,
    name: mark.name,
    kind: kinds.internal,
    ...contexts(mark.uuid, mark.parent_uuid, root),
    startTime: time,
    endTime: time,
    duration: [0, 0],
    status: { code: 0 },
    attributes: named(markAttributes(mark, projection), projection),
    events: [],
    ...nothingElse(),
  };
}

function contexts(
  uuid: string,
  parent: string | null,
  root: string,
): Pick<ReadableSpan, "spanContext" | "parentSpanContext"> {
  const ids = spanIds(root, uuid);
  return {
    spanContext: () => ids,
    ...(parent === null ? {} : { parentSpanContext: spanIds(root, parent) }),
  };
}

function nothingElse() {
  return {
    links: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function scopeAttributes(call: DescribedCall, projection: Projection): AttributeMap {
  const { type, content, promoted } = projection;
  if (type === "openinference")
    return { ...facts(call, promoted), ...openInferenceAttributes(call, content) };
  const spoken = genAiAttributes(call, content);
  if (type === "gen_ai") return { ...facts(call, promoted), ...spoken };
  const { start, end } = call;
  return {
    ...attributes({
      "nemo_relay.scope.type": start.category,
      "nemo_relay.scope.attributes": start.attributes.length === 0 ? undefined : [...start.attributes],
      "nemo_relay.scope.uuid": start.uuid,
      "nemo_relay.input": content ? start.data : undefined,
      "nemo_relay.output": content ? end?.data : undefined,
    }),
    ...facts(call, [""]),
    ...spoken,
  };
}

/** Metadata under its own names; what says the status of a span isn't told twice. */
function facts(call: DescribedCall, prefixes: readonly string[]): AttributeMap {
  const wanted = Object.entries(metadataOf(call)).filter(
    ([key]) => !key.startsWith("otel.") && prefixes.some((prefix) => key.startsWith(prefix)),
  );
  return attributes(Object.fromEntries(wanted));
}

function markAttributes(mark: MarkEvent, { type, content, promoted }: Projection): AttributeMap {
  const wanted = Object.entries(mark.metadata ?? {}).filter(
    ([key]) => type === "full" || promoted.some((prefix) => key.startsWith(prefix)),
  );
  return attributes({
    ...Object.fromEntries(wanted),
    ...(mark.name === TOOL_CALL_MARK
      ? toolCallAttributes(mark.data, content)
      : { "nemo_relay.mark.data": content ? mark.data : undefined }),
    "nemo_relay.mark.category": mark.category,
  });
}

function named(map: AttributeMap, { mappings }: Projection): AttributeMap {
  const aliases = mappings.flatMap(({ key, alias }) => {
    const value = map[key];
    return value === undefined ? [] : [[alias, value] as const];
  });
  return { ...map, ...Object.fromEntries(aliases) };
}
