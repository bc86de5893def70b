/**
 * Recorder: makes the events of scopes and marks, when somebody listens.
 *
 * Where no subscriber is visible nothing is made, copied or stamped. Payloads are copied when the event is made: what the
 * program does to them afterwards doesn't show in it.
 */
import type { RelayEnv } from "../env.ts";
import type { Chains } from "../middleware/chains.ts";
import type { Registry } from "../middleware/registry.ts";
import type { Scope } from "../scope/scope.ts";
import type {
  CategoryProfile,
  DataSchema,
  Json,
  MarkEvent,
  Metadata,
  PendingMark,
  RelayEvent,
  ScopeEvent,
} from "./event.ts";
import { EventClock, Rfc3339 } from "./event-clock.ts";
import { errorMetadata, okMetadata, withSeverity } from "./metadata.ts";
import type { PayloadCopy, Pipeline } from "./pipeline.ts";
import { plainData, plainRecord, recordOf } from "./plain-data.ts";

/** What the events of a managed call take from it. */
export interface Recording {
  /** The call's own snapshot. Default: what is visible now. */
  readonly chains?: Chains;
  readonly copy?: PayloadCopy;
}

/** How a scope ended. */
export interface Ending extends Recording {
  readonly output?: unknown;
  /** Over the scope's own. */
  readonly metadata?: Metadata | undefined;
  /** Over the scope's own. */
  readonly profile?: CategoryProfile;
  /** Marks that are made of the end event as subscribers get it, and go before it. Default: none. */
  readonly marks?: (end: RelayEvent) => readonly PendingMark[];
}

/** Microseconds before an end event, one for each of its marks; those of an answer that asks for more share the last. */
const MARKS_ROOM = 32;

/** Makes events. */
export class Recorder {
  readonly #env: RelayEnv;
  readonly #registry: Registry;
  readonly #pipeline: Pipeline;
  readonly #clock: EventClock;
  readonly #timestamps = new Rfc3339();

  constructor(env: RelayEnv, registry: Registry, pipeline: Pipeline) {
    this.#env = env;
    this.#registry = registry;
    this.#pipeline = pipeline;
    this.#clock = new EventClock(env.clock);
  }

  /** True when somebody listens to what is emitted there. */
  heard(scope: Scope): boolean {
    return this.#registry.subscribersAt(scope).length > 0;
  }

  start(scope: Scope, input: unknown, recording: Recording = {}): void {
    const subscribers = this.#registry.subscribersAt(scope);
    if (subscribers.length === 0) return;
    const chains = recording.chains ?? this.#registry.chainsAt(scope);
    this.#pipeline.emit({
      event: this.#scopeEvent(scope, "start", {
        micros: this.#clock.next(),
        data: plainData(input),
        metadata: plainRecord(scope.metadata),
        category_profile: plainRecord(scope.categoryProfile),
      }),
      copy: recording.copy,
      inject: chains.of("event_metadata_injector"),
      scrub: chains.of("scope_sanitize_start_guardrail"),
      subscribers,
    });
  }

  /** The end of what says by itself how it went, if at all. `outcome`: what is known of that, below what it says. */
  end(scope: Scope, ending: Ending, outcome?: Metadata): void {
    const subscribers = this.#registry.subscribersAt(scope);
    if (subscribers.length === 0) return;
    const chains = ending.chains ?? this.#registry.chainsAt(scope);
    const { marks } = ending;
    const micros = this.#clock.next(marks === undefined ? 0 : MARKS_ROOM);
    this.#pipeline.emit({
      event: this.#scopeEvent(scope, "end", {
        micros,
        data: plainData(ending.output),
        metadata: plainRecord(scope.metadata, outcome, ending.metadata),
        category_profile: plainRecord(scope.categoryProfile, ending.profile),
      }),
      copy: ending.copy,
      inject: chains.of("event_metadata_injector"),
      scrub: chains.of("scope_sanitize_end_guardrail"),
      subscribers,
      ...(marks === undefined
        ? {}
        : {
            marks: {
              of: (end) => this.#marksBefore(scope, marks(end), micros),
              scrub: chains.of("mark_sanitize_guardrail"),
            },
          }),
    });
  }

  /** The end of what went well. */
  succeeded(scope: Scope, ending: Ending): void {
    this.end(scope, ending, okMetadata);
  }

  /** The end of what threw. There is no output, unless `ending` has what was there of it. */
  failed(scope: Scope, error: unknown, ending: Ending = {}): void {
    if (this.heard(scope)) this.end(scope, ending, errorMetadata(error));
  }

  /** A mark below `scope`, or at the top when that is the root. */
  mark(scope: Scope, mark: PendingMark, recording: Recording = {}): void {
    const subscribers = this.#registry.subscribersAt(scope);
    if (subscribers.length === 0) return;
    const chains = recording.chains ?? this.#registry.chainsAt(scope);
    this.#pipeline.emit({
      event: this.#markEvent(scope, mark, this.#clock.next()),
      copy: undefined,
      inject: chains.of("event_metadata_injector"),
      scrub: chains.of("mark_sanitize_guardrail"),
      subscribers,
    });
  }

  #marksBefore(scope: Scope, marks: readonly PendingMark[], micros: number): readonly MarkEvent[] {
    return marks.map((mark, n) =>
      this.#markEvent(scope, mark, Math.min(micros - MARKS_ROOM + n, micros - 1)),
    );
  }

  #markEvent(scope: Scope, mark: PendingMark, micros: number): MarkEvent {
    return {
      ...this.#envelope(mark.name, micros),
      kind: "mark",
      uuid: this.#env.ids.ordered(),
      parent_uuid: this.#registry.isRoot(scope) ? null : scope.uuid,
      ...(isElsewhere(scope) ? { propagation_root_uuid: scope.rootUuid } : {}),
      data: plainData(mark.data),
      data_schema: plainSchema(mark.dataSchema),
      metadata: plainRecord(withSeverity(mark.metadata, mark.severity)),
      category: typeof mark.category === "string" ? mark.category : null,
      category_profile: plainRecord(mark.categoryProfile ?? null),
    };
  }

  #scopeEvent(
    scope: Scope,
    scope_category: "start" | "end",
    fields: {
      readonly micros: number;
      readonly data: Json;
      readonly metadata: Metadata | null;
      readonly category_profile: CategoryProfile | null;
    },
  ): ScopeEvent {
    const { parent, parentUuid } = scope;
    const event: ScopeEvent = {
      atof_version: "0.1",
      timestamp: this.#timestamps.write(fields.micros),
      name: scope.name,
      kind: "scope",
      scope_category,
      uuid: scope.uuid,
      parent_uuid: parentUuid,
      data_schema: null,
      attributes: scope.attributes,
      category: scope.scopeType,
      data: fields.data,
      metadata: fields.metadata,
      category_profile: fields.category_profile,
    };
    if (parentUuid === null || parent === undefined || !isElsewhere(parent)) return event;
    return { ...event, propagation_root_uuid: parent.rootUuid };
  }

  #envelope(name: string, micros: number) {
    return { atof_version: "0.1", timestamp: this.#timestamps.write(micros), name } as const;
  }
}

/** Programs may say anything: what isn't a name and a version is none. */
function plainSchema(schema: DataSchema | undefined): DataSchema | null {
  if (schema === undefined) return null;
  const { name, version } = recordOf(plainData(schema)) ?? {};
  if (typeof name !== "string" && typeof version !== "string") return null;
  return { name: String(name ?? ""), version: String(version ?? "") };
}

/** True for what stands for a scope of another process, whose trace began before it. */
function isElsewhere(parent: Scope): boolean {
  return parent.parent === undefined && parent.rootUuid !== parent.uuid;
}
