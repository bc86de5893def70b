/** What people see of actors without their data: who there is, who is awake and why. */
import { limits } from "@troupe/protocol";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type { Catalogue } from "../engine/catalogue.ts";
import { serverErrors } from "../errors.ts";
import type { ActorHost } from "../host/actor-host.ts";
import type { ActorPhase } from "../host/phase.ts";
import type { ActorRecord, Directory } from "../ports/directory.ts";
import type { ActorPart, PageQuery } from "../ports/inspection.ts";
import type { ActorReader } from "./actor-reader.ts";
import type { InspectorSettings } from "./config.ts";
import { masked } from "./mask.ts";
import type { Recorders } from "./recorder.ts";
import { sections } from "./sections.ts";

/** What the views are made from. */
export interface ActorViewParts {
  readonly host: ActorHost;
  readonly directory: Directory;
  readonly catalogue: Catalogue;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly reader: ActorReader;
  readonly recorders: Recorders;
  /** Whether who looks may read what an error says. */
  readonly settings: Pick<InspectorSettings, "write">;
  /** Whether the definition of that name has what a section shows. */
  readonly hasPart: (name: string, part: ActorPart) => boolean;
}

/** An actor in the list. */
export interface ListedView {
  readonly id: string;
  readonly name: string;
  readonly key: readonly string[];
  readonly createdAt: number;
  readonly phase: string;
}

/** Which actors to list. */
export interface ListedQuery extends PageQuery {
  readonly name: string | undefined;
  /** The one with this key; needs `name`. */
  readonly key: readonly string[] | undefined;
  readonly phase: ActorPhase | undefined;
  readonly namespace: string | undefined;
}

/** Makes the views. */
export class ActorView {
  readonly #parts: ActorViewParts;

  constructor(parts: ActorViewParts) {
    this.#parts = parts;
  }

  /** A page of actors of a namespace, the default one if none is named. `prefix`: how their keys begin, their parts joined by "/". */
  async list(query: ListedQuery): Promise<unknown> {
    const { directory, catalogue } = this.#parts;
    const namespace = catalogue.idOf(query.namespace);
    const { limit, prefix = "", name, key, phase } = query;
    if (key !== undefined) return { actors: await this.#at(namespace, name, key) };
    const actors: ListedView[] = [];
    let { after } = query;
    for (let seen = 0; ; ) {
      const of = name === undefined ? {} : { name };
      const page = await directory.list({
        namespace,
        ...of,
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const fitting = page.actors.filter(({ key }) => key.join("/").startsWith(prefix));
      const listed = fitting.map((record) => this.#listed(record));
      actors.push(...listed.filter((one) => phase === undefined || one.phase === phase));
      seen += page.actors.length;
      after = page.next;
      // A page is never cut: its end is where the next one begins.
      if (after === undefined || actors.length > 0 || seen >= limits.inspectorScan) break;
    }
    const names = [...new Set([...Object.keys(this.#parts.use), ...catalogue.actorNames(namespace)])];
    const namespaces = catalogue.list().map((one) => one.name);
    return { names, namespaces, actors, ...(after === undefined ? {} : { next: after }) };
  }

  async #at(
    namespace: string,
    name: string | undefined,
    key: readonly string[],
  ): Promise<readonly ListedView[]> {
    if (name === undefined) throw serverErrors.badRequest("a key needs a name beside it");
    const record = await this.#parts.directory.find({ namespace, name, key });
    return record === undefined ? [] : [this.#listed(record)];
  }

  /** One actor. What it tells of its alarm is behind the gate. Rejects with `actor.not_found`. */
  async overview(record: ActorRecord): Promise<Readonly<Record<string, unknown>>> {
    const { descriptor } = this.#parts.use[record.name] ?? {};
    const instance = this.#parts.reader.awake(record.id);
    const { hasPart } = this.#parts;
    const recorder = this.#parts.recorders.get(record.id);
    const view = {
      ...this.#listed(record),
      awakeSince: (instance === undefined ? undefined : recorder?.awakeSince) ?? null,
      lastError: this.#lastError(record.id),
      sections: sections
        .filter(({ part }) => part === undefined || hasPart(record.name, part))
        .map(({ name }) => name),
      database: this.#parts.reader.needs(record)?.database === true,
      editable: instance === undefined ? null : instance.report().edits !== undefined,
      options: plainOptions(descriptor?.options),
    };
    if (instance === undefined) return view;
    const { clients: _, edits: __, phase, ...report } = instance.report();
    await instance.settled();
    return { ...view, phase, ...report };
  }

  /** A call that failed, or a start. What kept it from starting is told to whoever may wake it. */
  #lastError(id: string): object | null {
    const { host, recorders, settings } = this.#parts;
    const call = recorders.get(id)?.lastError;
    const start = host.failedStarts.get(id);
    if (start === undefined || (call !== undefined && call.at > start.at)) return call ?? null;
    const { message, at, code, id: logId } = start;
    return { at, code, id: logId, ...(settings.write && { message }) };
  }

  /** Who is connected. Parameters are masked. */
  connections(id: string): readonly unknown[] {
    const clients = this.#parts.reader.awake(id)?.report().clients ?? [];
    return clients.map((client) => ({
      id: client.id,
      encoding: client.encoding,
      params: masked(client.params),
      subscriptions: [...client.subscriptions],
    }));
  }

  #listed({ id, name, key, createdAt }: ActorRecord): ListedView {
    return { id, name, key, createdAt, phase: this.#parts.host.phase(id) };
  }
}

/** `Infinity` has no JSON; an option that is a function says nothing. */
function plainOptions(options: object | undefined): Readonly<Record<string, unknown>> {
  const plain = Object.entries(options ?? {}).map(([name, value]) => [
    name,
    value === Infinity ? "Infinity" : value,
  ]);
  return Object.fromEntries(plain.filter(([, value]) => typeof value !== "function"));
}
