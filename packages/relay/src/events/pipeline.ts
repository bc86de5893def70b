/**
 * Pipeline: the way of an event from its emission to the queues of subscribers.
 *
 * An event that no middleware is about goes to the queues at once. Any other is worked on behind the call, one event after
 * the other so that their order holds, and what comes after it waits behind it. Per event: the sanitizers of the
 * call's payload, what its codec reads of it, the injectors of metadata, the sanitizers of event fields, then delivery. Sanitizers fail closed: a
 * payload or field that couldn't be sanitized is left out. Injectors fail open.
 *
 * The events that wait here are bounded; past the limit the newest is dropped and counted.
 */
import { limits } from "@troupe/protocol";
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import { invoke } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { EventFields, Json, Metadata, RelayEvent } from "./event.ts";
import { isFlat } from "./metadata.ts";
import { plainData, recordOf } from "./plain-data.ts";

type CopyKind =
  | "tool_sanitize_request_guardrail"
  | "tool_sanitize_response_guardrail"
  | "llm_sanitize_request_guardrail"
  | "llm_sanitize_response_guardrail";
type ScrubKind =
  | "mark_sanitize_guardrail"
  | "scope_sanitize_start_guardrail"
  | "scope_sanitize_end_guardrail";

/** Sanitizers of the payload, and where it lies in the event's data. */
export interface PayloadCopy {
  readonly entries: readonly Entry<CopyKind>[];
  /** The tool or model. */
  readonly name: string;
  /** What is read of the payload, behind its sanitizers, and stands beside it in the profile. */
  readonly annotate?: { readonly key: string; readonly read: (value: Json) => unknown };
}

/** An event and all that is done to it. */
export interface Emission {
  readonly event: RelayEvent;
  readonly copy: PayloadCopy | undefined;
  readonly inject: readonly Entry<"event_metadata_injector">[];
  readonly scrub: readonly Entry<ScrubKind>[];
  readonly subscribers: readonly Entry<"subscriber">[];
}

/** The way from emission to delivery. */
export class Pipeline {
  readonly #env: RelayEnv;
  /** Runs a task in a macrotask, outside of every scope. */
  readonly #later: (task: () => void) => void;
  readonly #told = new WeakSet<Entry>();
  #waiting: Emission[] = [];
  #running: Promise<void> | undefined = undefined;
  #dropped = 0;
  #unread = false;

  constructor(env: RelayEnv, later: (task: () => void) => void) {
    this.#env = env;
    this.#later = later;
  }

  /** Events lost because middleware couldn't keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  emit(emission: Emission): void {
    const { copy, inject, scrub } = emission;
    const untouched = inject.length === 0 && scrub.length === 0 && (copy?.entries.length ?? 0) === 0;
    if (untouched && this.#running === undefined) deliver(this.#annotated(emission), emission.subscribers);
    else if (this.#waiting.length >= limits.relayPendingEvents) this.#dropped += 1;
    else this.#queue(emission);
  }

  /** Settles when all that was emitted before has been delivered to the queues. */
  async flushed(): Promise<void> {
    await this.#running;
  }

  #queue(emission: Emission): void {
    this.#waiting.push(emission);
    if (this.#running !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#later(() => void this.#drain(resolve));
  }

  async #drain(done: () => void): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const emission of batch) deliver(await this.#work(emission), emission.subscribers);
    }
    this.#running = undefined;
    done();
  }

  async #work(emission: Emission): Promise<RelayEvent> {
    let event = emission.event;
    for (const entry of emission.copy?.entries ?? []) {
      event = { ...event, data: await this.#sanitized(entry, emission.copy?.name ?? "", event.data) };
    }
    event = this.#annotated({ ...emission, event });
    for (const entry of emission.inject) {
      event = { ...event, metadata: await this.#injected(entry, event) };
    }
    for (const entry of emission.scrub) {
      event = { ...event, ...(await this.#scrubbed(entry, event)) };
    }
    return event;
  }

  /** The event with what is read of its payload. What can't be read is left out: the call itself is fine. */
  #annotated({ event, copy }: Pick<Emission, "event" | "copy">): RelayEvent {
    if (copy?.annotate === undefined) return event;
    const { key, read } = copy.annotate;
    try {
      const annotation = read(event.data);
      if (annotation === undefined) return event;
      return { ...event, category_profile: { ...event.category_profile, [key]: plainData(annotation) } };
    } catch (error) {
      if (!this.#unread)
        this.#env.log.warn(`The codec of "${copy.name}" failed; more of it isn't logged`, { error });
      this.#unread = true;
      return event;
    }
  }

  async #sanitized(entry: Entry<CopyKind>, name: string, value: Json): Promise<Json> {
    try {
      // Tools know their name as toolName, models as name: one payload fits both.
      const payload = { name, toolName: name, value };
      return plainData(await invoke(entry, payload, undefined, this.#env.timers));
    } catch (error) {
      return this.#failed(entry, error, null);
    }
  }

  async #injected(entry: Entry<"event_metadata_injector">, event: RelayEvent): Promise<Metadata | null> {
    try {
      const found = await invoke(entry, event, undefined, this.#env.timers);
      const added = Object.entries(found).map(([key, value]): readonly [string, Json] => {
        if (!isFlat(value)) throw relayErrors.badAnswer(`The injector "${entry.name}"`, "flat metadata");
        return [key, value];
      });
      return added.length === 0 ? event.metadata : { ...Object.fromEntries(added), ...event.metadata };
    } catch (error) {
      return this.#failed(entry, error, event.metadata);
    }
  }

  async #scrubbed(entry: Entry<ScrubKind>, event: RelayEvent): Promise<EventFields> {
    const { data, metadata, category_profile } = event;
    try {
      const payload = { event, fields: { data, metadata, category_profile } };
      const fields = await invoke(entry, payload, undefined, this.#env.timers);
      return {
        data: plainData(fields.data),
        metadata: recordOf(plainData(fields.metadata)),
        category_profile: recordOf(plainData(fields.category_profile)),
      };
    } catch (error) {
      return this.#failed(entry, error, { data: null, metadata: null, category_profile: null });
    }
  }

  #failed<T>(entry: Entry, error: unknown, instead: T): T {
    const first = !this.#told.has(entry);
    this.#told.add(entry);
    if (first)
      this.#env.log.warn(`The ${entry.kind} "${entry.name}" failed; more of it isn't logged`, { error });
    return instead;
  }
}

function deliver(event: RelayEvent, subscribers: readonly Entry<"subscriber">[]): void {
  for (const { queue } of subscribers) queue?.offer(event);
}
