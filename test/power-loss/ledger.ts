/**
 * What the harness knows: for each key and lane which writes it sent, which were acknowledged, which have an unknown
 * outcome. A lane sends one write at a time, ids 1, 2, 3 …; several lanes of one key run side by side.
 *
 * `audit` compares that with what the actor says after a restart, and then takes the actor's word: a write with unknown
 * outcome is there now and stays, or is not and never comes.
 */
export interface LaneState {
  readonly last: number;
  readonly applied: number;
  readonly sum: number;
}

export interface KeyState {
  readonly count: number;
  readonly recent: readonly string[];
  readonly lanes: Readonly<Record<string, LaneState>>;
}

/**
 * What became of a write. `refused`: surely not applied. `unknown`: the bytes may have left and no answer came.
 */
export type Outcome =
  | { readonly kind: "acknowledged"; readonly count: number }
  | { readonly kind: "refused"; readonly error: string }
  | { readonly kind: "unknown"; readonly error: string };

interface Lane {
  sent: number;
  acknowledged: number;
  applied: number;
  sum: number;
  unknown: number[];
}

interface Key {
  readonly lanes: Map<string, Lane>;
  /** The largest count that anybody was told. */
  told: number;
}

export class Ledger {
  acknowledged = 0;
  /** Writes whose outcome was unknown, and which an audit found. */
  appliedUnknown = 0;
  unknown = 0;
  refused = 0;
  /** Errors by text, for the tests that inject faults. */
  readonly errors = new Map<string, number>();
  readonly #keys = new Map<string, Key>();

  get keys(): string[] {
    return [...this.#keys.keys()];
  }

  /** The id of the lane's next write, which counts as sent from now on. */
  send(key: string, lane: string): number {
    return ++this.#lane(key, lane).sent;
  }

  settle(key: string, lane: string, id: number, outcome: Outcome): void {
    const state = this.#lane(key, lane);
    if (outcome.kind !== "acknowledged")
      this.errors.set(outcome.error, (this.errors.get(outcome.error) ?? 0) + 1);
    if (outcome.kind === "refused") this.refused++;
    else if (outcome.kind === "unknown") {
      this.unknown++;
      state.unknown.push(id);
    } else {
      this.acknowledged++;
      state.acknowledged = id;
      state.applied++;
      state.sum += id;
      const known = this.#key(key);
      known.told = Math.max(known.told, outcome.count);
    }
  }

  /** What is wrong with what the actor says; empty when nothing is. */
  audit(key: string, found: KeyState): string[] {
    const known = this.#key(key);
    const problems = disagreements(found);
    if (found.count < known.told)
      problems.push(`somebody was told count ${known.told}, it is ${found.count}`);
    for (const name of Object.keys(found.lanes)) {
      if (!known.lanes.has(name)) problems.push(`lane ${name} was never sent`);
    }
    for (const [name, lane] of known.lanes) {
      problems.push(...this.#auditLane(lane, found.lanes[name]).map((problem) => `lane ${name}: ${problem}`));
    }
    known.told = found.count;
    return problems.map((problem) => `key ${key}: ${problem}`);
  }

  #auditLane(lane: Lane, found: LaneState = { last: 0, applied: 0, sum: 0 }): string[] {
    const problems: string[] = [];
    if (found.last < lane.acknowledged)
      problems.push(`LOST: ${lane.acknowledged} acknowledged, ${found.last} there`);
    else if (found.applied < lane.applied)
      problems.push(`LOST: ${lane.applied} writes, ${found.applied} there`);
    if (found.last > lane.sent) problems.push(`FUTURE: ${found.last} there, ${lane.sent} sent`);
    const extra = found.applied - lane.applied;
    const sums = sumsOf(lane.unknown, extra);
    if (problems.length === 0 && !sums.has(found.sum - lane.sum)) {
      problems.push(
        `DOUBLED or WRONG: ${extra} writes more than acknowledged, unknown are ${lane.unknown.join(", ")}`,
      );
    }
    this.appliedUnknown += Math.max(0, extra);
    lane.acknowledged = found.last;
    lane.applied = found.applied;
    lane.sum = found.sum;
    lane.unknown = [];
    return problems;
  }

  #key(key: string): Key {
    const known = this.#keys.get(key) ?? { lanes: new Map(), told: 0 };
    this.#keys.set(key, known);
    return known;
  }

  #lane(key: string, lane: string): Lane {
    const { lanes } = this.#key(key);
    const known = lanes.get(lane) ?? { sent: 0, acknowledged: 0, applied: 0, sum: 0, unknown: [] };
    lanes.set(lane, known);
    return known;
  }
}

/** The properties of one state must agree: what one turn wrote is there whole or not at all. */
function disagreements({ count, recent, lanes }: KeyState): string[] {
  const problems: string[] = [];
  const applied = Object.values(lanes).reduce((sum, lane) => sum + lane.applied, 0);
  if (count !== applied) problems.push(`HALF TURN: count ${count}, the lanes have ${applied}`);
  if (recent.length !== Math.min(20, count))
    problems.push(`HALF TURN: ${recent.length} recent writes of ${count}`);
  const newest = new Map(recent.map((write) => write.split(".") as [string, string]));
  for (const [lane, id] of newest) {
    if (Number(id) !== lanes[lane]?.last)
      problems.push(`HALF TURN: ${lane}.${id} is recent, last is ${lanes[lane]?.last}`);
  }
  return problems;
}

/** The sums of all choices of `count` of the ids; a lane has one or two unknown writes at the most. */
function sumsOf(ids: readonly number[], count: number): Set<number> {
  if (count === 0) return new Set([0]);
  const sums = new Set<number>();
  ids.forEach((id, index) => {
    for (const rest of sumsOf(ids.slice(index + 1), count - 1)) sums.add(id + rest);
  });
  return sums;
}
