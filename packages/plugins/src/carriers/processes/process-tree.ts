/**
 * A process and all that it started: how many there are, and how much memory they have, by Linux's own books. What left its
 * process group, or outlived its parent, is known if it was seen before, or by a mark that all of them have (`strays.ts`). Where there are no
 * such books nothing is known.
 */
import { listOf, startOf, textOf } from "./proc.ts";
import type { Strays } from "./strays.ts";

/** What a tree of processes has. */
export interface TreeUse {
  readonly processes: number;
  readonly residentBytes: number;
}

/** So often what is being ended is looked for anew; one that waits for a processor takes its time to stop. */
const ROUNDS = 200;
/** After so many looks in a row that found nobody new nothing is left. One look alone may come between two that live for a moment. */
const QUIET_ROUNDS = 10;

/** The processes that begin with one. */
export class ProcessTree {
  /** When each that was ever seen was started: a number may be given to another process later. */
  readonly #seen = new Map<number, string>();
  readonly #strays: Strays | undefined;
  /** How often somebody was found that wasn't known. */
  #found = 0;

  /** `root`: undefined for one that is gone. `strays`: those that nobody else leads to. Default: they aren't looked for. */
  constructor(root: number | undefined, strays?: Strays) {
    this.#strays = strays;
    if (root !== undefined) this.#add(root);
  }

  /** Looks at all of them, at most `mostProcesses` and one more. */
  use(mostProcesses: number): TreeUse {
    let residentBytes = 0;
    let processes = 0;
    for (const stray of this.#strays?.found() ?? []) this.#add(stray);
    // Those that are found on the way are looked at as well: a Map goes on with what is added.
    for (const [pid] of this.#seen) {
      if (!this.#lives(pid)) continue;
      processes += 1;
      residentBytes += residentBytesOf(pid);
      if (processes > mostProcesses) break;
      for (const child of childrenOf(pid)) this.#add(child);
    }
    return { processes, residentBytes };
  }

  /**
   * Ends every one of them that still runs. They are stopped first, and looked for until all that are known stand still and
   * have no other: what one starts while it is ended would be nobody's. Some of them live for a moment only, and have a successor then.
   */
  kill(): void {
    let quiet = 0;
    for (let round = 0; round < ROUNDS && quiet < QUIET_ROUNDS; round += 1) {
      this.#signal("SIGSTOP");
      const still = [...this.#seen.keys()].every((pid) => !runs(pid));
      const found = this.#found;
      this.use(Infinity);
      quiet = still && this.#found === found ? quiet + 1 : 0;
    }
    this.#signal("SIGKILL");
    this.#seen.clear();
  }

  #add(pid: number): void {
    if (this.#seen.has(pid)) return;
    // Also one that has ended since: it may have started another.
    this.#found += 1;
    const started = startOf(pid);
    if (started !== undefined) this.#seen.set(pid, started);
  }

  #signal(signal: NodeJS.Signals): void {
    for (const [pid] of this.#seen) if (this.#lives(pid)) send(pid, signal);
  }

  #lives(pid: number): boolean {
    const lives = startOf(pid) === this.#seen.get(pid);
    if (!lives) this.#seen.delete(pid);
    return lives;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** True for one that may start another: it is there, and neither stopped nor a zombie. */
function runs(pid: number): boolean {
  const state = textOf(`/proc/${pid}/stat`).split(") ").at(-1)?.[0];
  return state !== undefined && !"TtZX".includes(state);
}

function residentBytesOf(pid: number): number {
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

function childrenOf(pid: number): number[] {
  const tasks = listOf(`/proc/${pid}/task`);
  const children = tasks.map((task) => textOf(`/proc/${pid}/task/${task}/children`));
  return children.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
}
