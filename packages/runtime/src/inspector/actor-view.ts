/** What people see of actors without their data: who there is, who is awake and why. */
import { limits } from "@troupe/protocol";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type { Catalogue } from "../engine/catalogue.ts";
import type { ActorHost } from "../host/actor-host.ts";
import type { ActorRecord, Directory } from "../ports/directory.ts";
import type { PageQuery } from "../ports/inspection.ts";
import type { ActorReader } from "./actor-reader.ts";
import { masked } from "./mask.ts";
import { sections } from "./sections.ts";

/** What the views are made from. */
export interface ActorViewParts {
  readonly host: ActorHost;
  readonly directory: Directory;
  readonly catalogue: Catalogue;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly reader: ActorReader;
}

/** An actor in the list. */
export interface ListedView {
  readonly id: string;
  readonly name: string;
  readonly key: readonly string[];
  readonly createdAt: number;
  readonly phase: string;
}

/** Makes the views. */
export class ActorView {
  readonly #parts: ActorViewParts;

  constructor(parts: ActorViewParts) {
    this.#parts = parts;
  }

  /** A page of actors of a namespace, the default one if none is named. `prefix`: how their keys begin, their parts joined by "/". */
  async list(
    query: PageQuery & { readonly name: string | undefined; readonly namespace: string | undefined },
  ): Promise<unknown> {
    const { directory, catalogue } = this.#parts;
    const namespace = catalogue.idOf(query.namespace);
    const { limit, prefix = "", name } = query;
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
      actors.push(...fitting.map((record) => this.#listed(record)));
      seen += page.actors.length;
      after = page.next;
      // A page is never cut: its end is where the next one begins.
      if (after === undefined || actors.length > 0 || seen >= limits.inspectorScan) break;
    }
    const names = [...new Set([...Object.keys(this.#parts.use), ...catalogue.actorNames(namespace)])];
    const namespaces = catalogue.list().map((one) => one.name);
    return { names, namespaces, actors, ...(after === undefined ? {} : { next: after }) };
  }

  /** One actor. What it tells of its alarm is behind the gate. Rejects with `actor.not_found`. */
  async overview(record: ActorRecord): Promise<Readonly<Record<string, unknown>>> {
    const { descriptor } = this.#parts.use[record.name] ?? {};
    const instance = this.#parts.reader.awake(record.id);
    const view = {
      ...this.#listed(record),
      sections: sections.map(({ name }) => name),
      database: this.#parts.reader.needs(record)?.database === true,
      editable: instance === undefined ? undefined : instance.report().edits !== undefined,
      options: plainOptions(descriptor?.options),
    };
    if (instance === undefined) return view;
    const { clients: _, edits: __, phase, ...report } = instance.report();
    await instance.settled();
    return { ...view, phase, ...report };
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
