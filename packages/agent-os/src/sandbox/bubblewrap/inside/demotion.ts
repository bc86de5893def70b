/**
 * Demotion: what runs inside gives way to the runtime and its other actors, in two steps, as the embedded driver's workers do.
 *
 * All is nice from its beginning, which makes its share small and leaves its slices long. So a thread that never waits for anything is demoted
 * to SCHED_IDLE: any other thread that wakes has the processor at once. It is known by its state, since what it gets of the processor says
 * as much of the machine as of it. Agents and servers wait now and then, and stay what they are. What is demoted may get next to nothing on a
 * machine that never rests, and so may all that it starts. There is no way back: the kernel gives one to whose RLIMIT_NICE would allow the
 * niceness, and who gave that to the supervisor would give it to all inside. So the shell that somebody sits at, who leads its terminal's session,
 * stays what it is whatever it does by itself: all of its later commands would be demoted with it.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** Ten steps of niceness: a tenth of the share of a thread that has none. */
const NICENESS = 10;
/** Who never waited in so many looks is one that loops: three seconds. */
const LOOKS = 30;

/** A process whose threads have used nothing for so many looks has none that loops. */
const QUIET_LOOKS = 10;

/** A process, as it is seen. */
interface Seen {
  readonly pid: number;
  /** Its first thread runs, or would if it had a processor. */
  readonly runs: boolean;
  readonly threads: number;
  /** Of all of its threads, in the kernel and out of it. */
  readonly ticks: number;
  readonly leadsTerminal: boolean;
}

/** All that this process starts is nice, and so is it itself. */
export function giveWay(): void {
  if (getPriority() < NICENESS) setPriority(NICENESS);
}

/** Demotes those who never wait. */
export class Demotion {
  /** In how many looks, one behind the other, each thread ran. */
  #running = new Map<number, number>();
  /** What the threads of each process had used, and in how many looks that was so. */
  #used = new Map<number, { readonly ticks: number; readonly looks: number }>();

  /** Shown all that there are, at every look. */
  look(all: readonly Seen[]): void {
    const seen = all.filter(({ leadsTerminal }) => !leadsTerminal);
    this.#used = new Map(seen.map(({ pid, ticks }) => [pid, { ticks, looks: this.#looksAt(pid, ticks) }]));
    const running = seen.flatMap((process) =>
      this.#runningOf(process).map((thread) => ({ thread, pid: process.pid })),
    );
    this.#running = new Map(running.map(({ thread }) => [thread, (this.#running.get(thread) ?? 0) + 1]));
    for (const { thread, pid } of running)
      if (this.#running.get(thread) === LOOKS) demote(thread, thread === pid);
  }

  #looksAt(pid: number, ticks: number): number {
    const before = this.#used.get(pid);
    return before?.ticks === ticks ? before.looks + 1 : 0;
  }

  /** To look at each thread of a process costs more than the process itself: of one that uses nothing it isn't done. */
  #runningOf({ pid, runs, threads }: Seen): number[] {
    const quiet = (this.#used.get(pid)?.looks ?? 0) >= QUIET_LOOKS;
    if (threads === 1 || quiet) return runs ? [pid] : [];
    try {
      return readdirSync(`/proc/${pid}/task`)
        .map(Number)
        .filter((thread) => isRunning(pid, thread));
    } catch {
      return [];
    }
  }
}

function isRunning(pid: number, thread: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
    return stat.startsWith(") R", stat.lastIndexOf(")"));
  } catch {
    return false;
  }
}

/** Node has no call for it. Where there is no `chrt` it stays nice. With its first thread goes all that a process has. */
function demote(thread: number, whole: boolean): void {
  const all = whole ? ["-a"] : [];
  execFile("/usr/bin/chrt", [...all, "-i", "-p", "0", String(thread)], { env: {} }, () => undefined);
}
