/**
 * What followers of sessions have heard.
 *
 * A session's events are 1, 2, 3 … in every image that a crash could leave, and each event of a prompt is there once. A follower hears
 * each of them once, in that order, without a hole, however often its connection is lost or it leaves and comes again; and all followers hear
 * what is stored.
 */
import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import type { StoredEvent } from "./stored-state.ts";

/** What is wrong with a stored transcript; `undefined` when nothing is. */
export function checkTranscript(transcript: readonly StoredEvent[]): string | undefined {
  const marks = new Set<string>();
  for (const [index, { sequence, mark }] of transcript.entries()) {
    if (sequence !== index + 1) return `event ${sequence} stands where ${index + 1} should`;
    if (marks.has(mark)) return `event ${mark} is there twice`;
    marks.add(mark);
  }
  return undefined;
}

/** What one follower has heard of a session. */
export class Heard {
  readonly #world: World;
  readonly #who: string;
  readonly #marks: string[] = [];

  constructor(world: World, who: string) {
    this.#world = world;
    this.#who = who;
  }

  /** The sequence of the last event. */
  get last(): number {
    return this.#marks.length;
  }

  has(mark: string): boolean {
    return this.#marks.includes(mark);
  }

  add(sequence: number, mark: string): void {
    if (sequence !== this.last + 1)
      this.#world.fail("sessions", `${this.#who} got event ${sequence} after ${this.last}`);
    this.#marks.push(mark);
    this.#world.counters.add("an event of a session arrived");
  }

  /** Is what is stored, as far as it goes. */
  judge(durability: Durability): void {
    const actorId = durability.holder(this.#marks[0] ?? "");
    if (actorId === undefined) return;
    const stored = durability.transcripts.get(actorId) ?? [];
    const wrong = this.#marks.findIndex((mark, index) => stored[index]?.mark !== mark);
    if (wrong === -1) return;
    const there = stored[wrong]?.mark ?? "nothing";
    this.#world.fail(
      "sessions",
      `${this.#who} heard ${this.#marks[wrong]} as event ${wrong + 1}, which is ${there}`,
    );
  }
}
