/**
 * Activity: what of a workflow is at work, what waits, and until when. A workflow has one strand, or as many as there are
 * branches of its joins and races; when all of them wait nothing keeps its actor awake. Branches have an activity of their
 * own below their workflow's, which is cut off when another branch has won.
 */

/** A strand that waits. */
export interface Rest {
  /** It goes on. */
  resume(): void;
}

/** The strands of a workflow, or of one branch. */
export class Activity {
  readonly #above: Activity | undefined;
  readonly #changed: (() => void) | undefined;
  readonly #below = new Set<Activity>();
  readonly #rests = new Set<{ readonly until: number | null }>();
  #atWork = 0;
  #steps = 0;
  #cut = false;
  #waiting: (() => void)[] = [];

  /** `changed`: told when the first strand begins to work, and when the last one has stopped. */
  constructor(changed?: () => void, above?: Activity) {
    this.#changed = changed;
    this.#above = above;
    if (above !== undefined) above.#below.add(this);
  }

  get atWork(): boolean {
    return this.#atWork > 0;
  }

  /** The earliest time that somebody waits for (wall clock, ms); `null` when everybody waits for something to come. */
  get until(): number | null {
    let first: number | null = null;
    const times = [...this.#rests].map((rest) => rest.until);
    for (const activity of this.#below) times.push(activity.until);
    for (const until of times) if (until !== null && (first === null || until < first)) first = until;
    return first;
  }

  /** The activity of a branch. */
  branch(): Activity {
    return new Activity(undefined, this);
  }

  /** Strands begin, or end. */
  add(change: number): void {
    const before = this.#atWork;
    this.#atWork += change;
    if (!this.#cut) this.#above?.add(change);
    if ((before === 0) !== (this.#atWork === 0)) this.#changed?.();
  }

  /** One strand waits; until a time, or for something that comes. */
  rest(until: number | null): Rest {
    const rest = { until };
    this.#rests.add(rest);
    this.add(-1);
    return {
      resume: () => {
        if (this.#rests.delete(rest)) this.add(1);
      },
    };
  }

  /** Nothing of this branch counts any more. */
  cut(): void {
    const above = this.#above;
    if (above === undefined || this.#cut) return;
    above.#below.delete(this);
    above.add(-this.#atWork);
    this.#cut = true;
  }

  /** The code of a step runs. It does so also in a branch that was cut off. */
  stepBegins(): void {
    this.#steps += 1;
    this.#above?.stepBegins();
  }

  stepEnds(): void {
    this.#steps -= 1;
    this.#above?.stepEnds();
    if (this.#steps > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  /** Settles when no step runs. */
  async stepless(): Promise<void> {
    while (this.#steps > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
