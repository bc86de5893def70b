/**
 * A process and all that it started: how many there are, and how much memory they have, by Linux's own books. What left its
 * process group, or outlived its parent, is known if it was seen before. Where there are no such books nothing is known.
 */
import { readdirSync, readFileSync } from "node:fs";

/** What a tree of processes has. */
export interface TreeUse {
  readonly processes: number;
  readonly residentBytes: number;
}

/** So often what is being ended is looked for anew; one that waits for a processor takes its time to stop. */
const ROUNDS = 200;

/** The processes that begin with one. */
export class ProcessTree {
  /** When each that was ever seen was started: a number may be given to another process later. */
  readonly #seen = new Map<number, string>();

  constructor(root: number) {
    const started = startOf(root);
    if (started !== undefined) this.#seen.set(root, started);
  }

  /** Looks at all of them, at most `mostProcesses` and one more. */
  use(mostProcesses: number): TreeUse {
    let residentBytes = 0;
    let processes = 0;
    // Those that are found on the way are looked at as well: a Map goes on with what is added.
    for (const [pid] of this.#seen) {
      if (!this.#lives(pid)) continue;
      processes += 1;
      residentBytes += residentBytesOf(pid);
      if (processes > mostProcesses) break;
      for (const child of childrenOf(pid)) {
        const started = this.#seen.has(child) ? undefined : startOf(child);
        if (started !== undefined) this.#seen.set(child, started);
      }
    }
    return { processes, residentBytes };
  }

  /**
   * Ends every one of them that still runs. They are stopped first, and looked for until all that are known stand still and
   * have no other: what one starts while it is ended would be nobody's.
   */
  kill(): void {
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#signal("SIGSTOP");
      const still = [...this.#seen.keys()].every((pid) => !runs(pid));
      const known = this.#seen.size;
      this.use(Infinity);
      if (still && this.#seen.size <= known) break;
    }
    this.#signal("SIGKILL");
    this.#seen.clear();
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

/** When it was started, in the kernel's own time; undefined: it isn't there, or is a zombie. */
function startOf(pid: number): string | undefined {
  const [state, ...fields] = (read(`/proc/${pid}/stat`).split(") ").at(-1) ?? "").split(" ");
  return state === "Z" || state === "X" ? undefined : fields[18];
}

/** True for one that may start another: it is there, and neither stopped nor a zombie. */
function runs(pid: number): boolean {
  const state = read(`/proc/${pid}/stat`).split(") ").at(-1)?.[0];
  return state !== undefined && !"TtZX".includes(state);
}

function residentBytesOf(pid: number): number {
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

function childrenOf(pid: number): number[] {
  const tasks = list(`/proc/${pid}/task`);
  const children = tasks.map((task) => read(`/proc/${pid}/task/${task}/children`));
  return children.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
}

/** Empty: it isn't there any more. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
