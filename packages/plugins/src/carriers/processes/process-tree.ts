/**
 * A process and all that it started: how many there are, and how much memory they have, by Linux's own books. What left its
 * process group, or outlived its parent, is known if it was seen before, or by a mark that all of them have (`strays.ts`). Where there are no
 * such books nothing is known.
 */
import { setImmediate as nextTurn, setTimeout as passed } from "node:timers/promises";
import { type Life, lifeOf, listOf, startOf, textOf } from "./proc.ts";
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
/** Between two of them. */
const QUIET_MS = 1;
/** So many processes are looked at in one turn: about a millisecond. Those that are ended may be hundreds, and the host serves others. */
const LOOKED_PER_TURN = 32;
/** So many looks at fewer than that. */
const LOOKS_PER_TURN = 8;

/** Those that are being ended: when this process exits meanwhile there is no other turn. */
const ending = new Set<ProcessTree>();
const endAll = (): void => {
  for (const tree of ending) tree.kill();
};

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
      if (this.#life(pid) === undefined) continue;
      processes += 1;
      residentBytes += residentBytesOf(pid);
      if (processes > mostProcesses) break;
      for (const child of childrenOf(pid)) this.#add(child);
    }
    return { processes, residentBytes };
  }

  /**
   * Ends every one of them that still runs, in turns between which others have theirs. They are stopped first, the known ones before this
   * returns, and looked for until all that are known stand still and have no other: what one starts while it is ended would be nobody's.
   * Some of them live for a moment only, and have a successor then.
   */
  async end(): Promise<void> {
    if (ending.size === 0) process.on("exit", endAll);
    ending.add(this);
    try {
      for (const pause of this.#ending()) await (pause === "quiet" ? passed(QUIET_MS) : nextTurn());
    } finally {
      ending.delete(this);
      if (ending.size === 0) process.off("exit", endAll);
    }
  }

  /** The same in one turn: for a process that does nothing else, or exits. */
  kill(): void {
    for (const _ of this.#ending());
  }

  /** Gives a word wherever others may have a turn. */
  *#ending(): Generator<"quiet" | "busy"> {
    if (process.platform !== "linux") return;
    const stood = new Set<number>();
    let quiet = 0;
    for (let round = 1; round <= ROUNDS && quiet < QUIET_ROUNDS; round += 1) {
      quiet = (yield* this.#stopped(stood)) ? quiet + 1 : 0;
      if (quiet > 0) yield "quiet";
      else if (round % LOOKS_PER_TURN === 0) yield "busy";
    }
    let looked = 0;
    for (const [pid] of this.#seen) {
      if (this.#life(pid) !== undefined) send(pid, "SIGKILL");
      looked += 1;
      if (looked % LOOKED_PER_TURN === 0) yield "busy";
    }
    this.#seen.clear();
  }

  /** Stops all of them that run. True: nobody did, and nobody is new. `stood`: those that stand still and whose children are known. */
  *#stopped(stood: Set<number>): Generator<"busy", boolean> {
    const found = this.#found;
    let looked = 0;
    let all = true;
    for (const stray of this.#strays?.found() ?? []) this.#stop(stray);
    for (const [pid] of this.#seen) {
      looked += 1;
      if (looked % LOOKED_PER_TURN === 0) yield "busy";
      const life = this.#life(pid);
      if (life === undefined) continue;
      const runs = !life.isStopped;
      if (runs) send(pid, "SIGSTOP");
      all &&= !runs;
      if (stood.has(pid) && !runs) continue;
      for (const child of childrenOf(pid)) this.#stop(child);
      if (runs) stood.delete(pid);
      else stood.add(pid);
    }
    return all && this.#found === found;
  }

  /** One that is new, at once: it may live for a moment. */
  #stop(pid: number): void {
    const found = this.#found;
    this.#add(pid);
    if (this.#found !== found && this.#seen.has(pid)) send(pid, "SIGSTOP");
  }

  #add(pid: number): void {
    if (this.#seen.has(pid)) return;
    // Also one that has ended since: it may have started another.
    this.#found += 1;
    const started = startOf(pid);
    if (started !== undefined) this.#seen.set(pid, started);
  }

  /** Undefined: it has ended, and isn't looked at again. */
  #life(pid: number): Life | undefined {
    const life = lifeOf(pid);
    if (life !== undefined && life.started === this.#seen.get(pid)) return life;
    this.#seen.delete(pid);
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
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
