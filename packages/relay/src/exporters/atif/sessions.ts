/**
 * Sessions: events by the outermost scope of this process that they are below.
 *
 * A session is over when none of its scopes is open: a stream or a promise may outlive the scope that it began in. What
 * begins below a scope of a session that is over is a session of its own, so that none is ever written twice.
 */
import { limits } from "@troupe/protocol";
import type { RelayEvent } from "../../events/event.ts";
import { bytesOfEvent } from "../../events/event-size.ts";

/** Sessions that are open at once. */
const SESSIONS = 1_000;

/** A session that is over. */
export interface AtifSession {
  /** Of its outermost scope. */
  readonly id: string;
  readonly events: readonly RelayEvent[];
}

interface OpenSession {
  readonly id: string;
  /** Let go when it is over, and not with the session: see `open-scopes.ts`. */
  events: RelayEvent[];
  /** All that were seen in it. */
  readonly scopes: Set<string>;
  readonly open: Set<string>;
  bytes: number;
}

/** Sessions that aren't over. */
export class Sessions {
  readonly #sessions = new Set<OpenSession>();
  readonly #ofScope = new Map<string, OpenSession>();
  #events = 0;
  #bytes = 0;

  /** Sorts an event in. Answers the sessions that are over with it, or had to make room. */
  add(event: RelayEvent): AtifSession[] {
    const session = this.#sessionOf(event);
    if (session === undefined) return [];
    const bytes = bytesOfEvent(event);
    session.events.push(event);
    session.bytes += bytes;
    this.#events += 1;
    this.#bytes += bytes;
    if (event.kind === "scope" && event.scope_category === "end") session.open.delete(event.uuid);
    const over = session.open.size === 0 ? [this.#taken(session)] : [];
    return [...over, ...this.#overflow()];
  }

  /** Takes all that is there. */
  rest(): AtifSession[] {
    return Array.from(this.#sessions, (session) => this.#taken(session));
  }

  /** Undefined for a mark at the top, and for what is about a scope that began before anybody listened. */
  #sessionOf(event: RelayEvent): OpenSession | undefined {
    const { uuid, parent_uuid: parent } = event;
    const above = parent === null ? undefined : this.#ofScope.get(parent);
    if (event.kind === "mark") return above;
    if (event.scope_category === "end") return this.#ofScope.get(uuid) ?? above;
    const session = above ?? { id: uuid, events: [], scopes: new Set(), open: new Set(), bytes: 0 };
    this.#sessions.add(session);
    this.#ofScope.set(uuid, session);
    session.scopes.add(uuid);
    session.open.add(uuid);
    return session;
  }

  #overflow(): AtifSession[] {
    const out: AtifSession[] = [];
    for (const session of this.#sessions) {
      const full =
        this.#sessions.size > SESSIONS ||
        this.#events > limits.relayTrajectoryEvents ||
        this.#bytes > limits.relayTrajectoryBytes;
      if (!full) break;
      out.push(this.#taken(session));
    }
    return out;
  }

  #taken(session: OpenSession): AtifSession {
    this.#sessions.delete(session);
    for (const scope of session.scopes) this.#ofScope.delete(scope);
    const { id, events } = session;
    session.events = [];
    this.#events -= events.length;
    this.#bytes -= session.bytes;
    return { id, events };
  }
}
