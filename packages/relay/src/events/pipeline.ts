/**
 * Pipeline: the way of an event from its emission to the queues of subscribers.
 *
 * An event that no middleware is about goes to the queues at once. Any other is worked on behind the call, one event after
 * the other so that their order holds, and what comes after it waits behind it. Per event: the sanitizers of the
 * call's payload, what its codec reads of it, the injectors of metadata, the sanitizers of event fields, then delivery, behind
 * the marks that are made of what is left of it. Sanitizers fail closed: a payload or field that couldn't be sanitized is left
 * out. Injectors fail open.
 *
 * The events that wait here are bounded, in number and in bytes. Past a limit the newest is lost to everybody, for nobody
 * may see it before its sanitizers have: it is counted, as a whole and of each subscriber, and the log is told of the first.
 */
import { limits } from "@troupe/protocol";
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import { invoke, type MaybePromise } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { MiddlewareShapes } from "../middleware/payloads.ts";
import { errorWithoutSecrets } from "../redaction/error-without-secrets.ts";
import type { EventFields, Json, MarkEvent, Metadata, RelayEvent } from "./event.ts";
import { bytesOfEvent } from "./event-size.ts";
import type { Later, Worker } from "./later.ts";
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
  /** Marks that are made of the event as subscribers get it, and go before it, to the same ones. */
  readonly marks?: {
    readonly of: (event: RelayEvent) => readonly MarkEvent[];
    readonly scrub: readonly Entry<ScrubKind>[];
  };
}

interface Waiting {
  readonly emission: Emission;
  /** What its event takes of memory. */
  readonly bytes: number;
}

/** The way from emission to delivery. */
export class Pipeline implements Worker {
  readonly #env: RelayEnv;
  readonly #later: Later;
  readonly #told = new WeakSet<Entry>();
  #waiting: Waiting[] = [];
  /** Of those, and of the one that is worked on. */
  #bytes = 0;
  #running: Promise<void> | undefined = undefined;
  #dropped = 0;
  #unread = false;

  constructor(env: RelayEnv, later: Later) {
    this.#env = env;
    this.#later = later;
  }

  /** Events lost because middleware couldn't keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  emit(emission: Emission): void {
    const { copy, inject, scrub, marks, subscribers } = emission;
    const touched =
      inject.length + scrub.length + (copy?.entries.length ?? 0) + (marks?.scrub.length ?? 0) > 0;
    if (touched || this.#running !== undefined) return this.#queue(emission);
    const event = this.#annotated(emission);
    for (const mark of marks?.of(event) ?? []) deliver(mark, subscribers);
    deliver(event, subscribers);
  }

  /** Settles when all that was emitted before has been delivered to the queues. */
  async flushed(): Promise<void> {
    await this.#running;
  }

  #queue(emission: Emission): void {
    const bytes = bytesOfEvent(emission.event);
    const full = this.#bytes > 0 && this.#bytes + bytes > limits.relayPendingEventBytes;
    if (full || this.#waiting.length >= limits.relayPendingEvents) {
      this.#lose(emission);
      return;
    }
    this.#waiting.push({ emission, bytes });
    this.#bytes += bytes;
    if (this.#running !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#later(this, () => void this.#drain(resolve));
  }

  #lose({ subscribers }: Emission): void {
    this.#dropped += 1;
    for (const { queue } of subscribers) queue?.miss();
    if (this.#dropped === 1)
      this.#env.log.warn("Middleware of events can't keep up: events are lost; more of it isn't logged", {
        waiting: this.#waiting.length,
      });
  }

  async #drain(done: () => void): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const { emission, bytes } of batch) {
        // Waiting costs a turn of the microtasks: most middleware answers at once.
        const sanitized = this.#sanitize(emission, 0, emission.event);
        const event = sanitized instanceof Promise ? await sanitized : sanitized;
        for (const mark of marksOf(emission, event)) {
          const made = this.#sanitize(mark, 0, mark.event);
          deliver(made instanceof Promise ? await made : made, mark.subscribers);
        }
        deliver(event, emission.subscribers);
        this.#bytes -= bytes;
      }
    }
    this.#running = undefined;
    done();
  }

  /** From the sanitizer at `index` on. */
  #sanitize(emission: Emission, index: number, event: RelayEvent): MaybePromise<RelayEvent> {
    const { copy } = emission;
    const entry = copy?.entries[index];
    if (entry === undefined) return this.#inject(emission, 0, this.#annotated({ event, copy }));
    // Tools know their name as toolName, models as name: one payload fits both.
    const payload = { name: copy?.name ?? "", toolName: copy?.name ?? "", value: event.data };
    const data = this.#asked(entry, payload, plainData, () => null);
    return and(data, (known) => this.#sanitize(emission, index + 1, { ...event, data: known }));
  }

  #inject(emission: Emission, index: number, event: RelayEvent): MaybePromise<RelayEvent> {
    const entry = emission.inject[index];
    if (entry === undefined) return this.#scrub(emission, 0, event);
    const added = this.#asked(
      entry,
      event,
      (found) => withAdded(entry.name, event.metadata, found),
      () => event.metadata,
    );
    return and(added, (metadata) => this.#inject(emission, index + 1, { ...event, metadata }));
  }

  #scrub(emission: Emission, index: number, event: RelayEvent): MaybePromise<RelayEvent> {
    const entry = emission.scrub[index];
    if (entry === undefined) return event;
    const { data, metadata, category_profile } = event;
    const fieldsOf = { data, metadata, category_profile };
    const payload = { event, fields: fieldsOf, payloadSanitized: emission.copy !== undefined };
    const fields = this.#asked(entry, payload, plainFields, () => noFields);
    return and(fields, (scrubbed) => this.#scrub(emission, index + 1, { ...event, ...scrubbed }));
  }

  /** What `read` makes of an entry's answer; `instead` when either fails. Never throws, never rejects. */
  #asked<K extends CopyKind | ScrubKind | "event_metadata_injector", T>(
    entry: Entry<K>,
    payload: MiddlewareShapes[K]["payload"],
    read: (answer: MiddlewareShapes[K]["answer"]) => T,
    instead: () => T,
  ): MaybePromise<T> {
    const failed = (error: unknown): T => {
      this.#failed(entry, error);
      return instead();
    };
    try {
      const answer = invoke<K>(entry, payload, undefined, this.#env.timers);
      return answer instanceof Promise ? answer.then(read).catch(failed) : read(answer);
    } catch (error) {
      return failed(error);
    }
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
        this.#env.log.warn(`The codec of "${copy.name}" failed; more of it isn't logged`, {
          error: errorWithoutSecrets(error),
        });
      this.#unread = true;
      return event;
    }
  }

  #failed(entry: Entry, error: unknown): void {
    const first = !this.#told.has(entry);
    this.#told.add(entry);
    if (first)
      this.#env.log.warn(`The ${entry.kind} "${entry.name}" failed; more of it isn't logged`, {
        error: errorWithoutSecrets(error),
      });
  }
}

const noFields: EventFields = { data: null, metadata: null, category_profile: null };

function plainFields({ data, metadata, category_profile }: EventFields): EventFields {
  return {
    data: plainData(data),
    metadata: recordOf(plainData(metadata)),
    category_profile: recordOf(plainData(category_profile)),
  };
}

/** What is there already stays. Throws `relay.bad_answer`. */
function withAdded(
  by: string,
  there: Metadata | null,
  found: Readonly<Record<string, unknown>>,
): Metadata | null {
  const added = Object.entries(found).map(([key, value]): readonly [string, Json] => {
    if (!isFlat(value)) throw relayErrors.badAnswer(`The injector "${by}"`, "flat metadata");
    return [key, value];
  });
  return added.length === 0 ? there : { ...Object.fromEntries(added), ...there };
}

function and<T, R>(value: MaybePromise<T>, then: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/**
 * Several subscribers get the same event: none may change what those behind it see. Only where there are several, and no
 * deeper than its fields: freezing takes half a microsecond, about a tenth of an event.
 */
function frozen(event: RelayEvent): RelayEvent {
  Object.freeze(event.data);
  Object.freeze(event.metadata);
  Object.freeze(event.category_profile);
  return Object.freeze(event);
}

/** What the event's marks go through, like all others. */
function marksOf({ marks, inject, subscribers }: Emission, event: RelayEvent): readonly Emission[] {
  if (marks === undefined) return [];
  const { scrub } = marks;
  return marks.of(event).map((mark) => ({ event: mark, copy: undefined, inject, scrub, subscribers }));
}

function deliver(event: RelayEvent, subscribers: readonly Entry<"subscriber">[]): void {
  const bytes = bytesOfEvent(event);
  const shared = subscribers.length > 1 ? frozen(event) : event;
  for (const { queue } of subscribers) queue?.offer(shared, bytes);
}
