/** A relay with a subscriber that remembers. */
import type { MarkEvent, Relay, RelayEvent, ScopeEvent } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";

export class Listener {
  readonly relay: Relay = createRelay();
  readonly events: RelayEvent[] = [];

  constructor() {
    this.relay.registerSubscriber("listener", (event) => void this.events.push(event));
  }

  /** Of each scope event what it is and whose, in order; of failed ends the error. */
  async story(): Promise<string[]> {
    await this.relay.flushSubscribers();
    return this.events.map((event) => {
      if (event.kind === "mark") return `mark ${event.name}`;
      const error = event.metadata?.["error.type"];
      return `${event.scope_category} ${event.name}${error === undefined ? "" : ` ${String(error)}`}`;
    });
  }

  /** What was emitted so far is nobody's matter any more. */
  async forget(): Promise<void> {
    await this.relay.flushSubscribers();
    this.events.length = 0;
  }

  async start(name: string): Promise<ScopeEvent> {
    return await this.#scope(name, "start");
  }

  async end(name: string): Promise<ScopeEvent> {
    return await this.#scope(name, "end");
  }

  async mark(name: string): Promise<MarkEvent> {
    await this.relay.flushSubscribers();
    const found = this.events.find((event) => event.kind === "mark" && event.name === name);
    if (found?.kind === "mark") return found;
    throw new Error(`no mark ${name} in:\n${(await this.story()).join("\n")}`);
  }

  async #scope(name: string, category: "start" | "end"): Promise<ScopeEvent> {
    await this.relay.flushSubscribers();
    for (const event of this.events)
      if (event.kind === "scope" && event.name === name && event.scope_category === category) return event;
    throw new Error(`no ${category} of ${name} in:\n${(await this.story()).join("\n")}`);
  }
}
