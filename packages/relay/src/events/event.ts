/**
 * Events: ATOF 0.1 records, field for field, as they are written to a file or sent to an exporter. The names of fields
 * are the format's, so they are spelt as it spells them.
 */
import type { ScopeAttribute, ScopeType } from "../scope/scope-type.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Facts about an event by name, such as `otel.status_code`. What an injector adds is flat. */
export type Metadata = { readonly [key: string]: Json };

/** What the kind of a scope adds to its events: `model_name`, `tool_call_id`, `subtype`, and whatever a program adds. */
export type CategoryProfile = { readonly [key: string]: Json };

/** Which schema `data` follows. */
export interface DataSchema {
  readonly name: string;
  readonly version: string;
}

/** How much a mark matters, as it stands in its metadata under `nemo_relay.log.severity`. */
export type Severity = "trace" | "debug" | "info" | "warn" | "error";

interface Envelope {
  readonly atof_version: "0.1";
  /** A UUIDv7. Both events of one scope have the scope's. */
  readonly uuid: string;
  readonly parent_uuid: string | null;
  /** The trace, where the parent is in another process and the trace didn't begin with it: nothing else would tell. */
  readonly propagation_root_uuid?: string;
  /** RFC 3339 in UTC, with microseconds. Later events of one relay have later ones. */
  readonly timestamp: string;
  readonly name: string;
  readonly data: Json;
  readonly data_schema: DataSchema | null;
  readonly metadata: Metadata | null;
}

/** A scope begins or ends. */
export interface ScopeEvent extends Envelope {
  readonly kind: "scope";
  readonly scope_category: "start" | "end";
  readonly attributes: readonly ScopeAttribute[];
  readonly category: ScopeType;
  readonly category_profile: CategoryProfile | null;
}

/** Something happened. */
export interface MarkEvent extends Envelope {
  readonly kind: "mark";
  readonly category: ScopeType | null;
  readonly category_profile: CategoryProfile | null;
}

/** What subscribers get. */
export type RelayEvent = ScopeEvent | MarkEvent;

/** The fields of an event that a sanitizer may rewrite. */
export interface EventFields {
  readonly data: Json;
  readonly metadata: Metadata | null;
  readonly category_profile: CategoryProfile | null;
}

/** A mark that an intercept asks for; it is emitted when its call's event is, below that call. */
export interface PendingMark {
  readonly name: string;
  readonly category?: ScopeType;
  readonly categoryProfile?: CategoryProfile;
  readonly data?: unknown;
  readonly dataSchema?: DataSchema;
  readonly metadata?: Metadata;
  readonly severity?: Severity;
}
