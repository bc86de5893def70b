/**
 * Demotion: what runs inside gives way to the runtime and its other actors, in two steps, as the embedded driver's workers do.
 *
 * All is nice from its beginning, which makes its share small and leaves its slices long. So a process that never waits for anything is demoted
 * to SCHED_IDLE: any other thread that wakes has the processor at once. It is known by its state, since what it gets of the processor says
 * as much of the machine as of it. Agents and servers wait now and then, and stay what they are. What is demoted may get next to nothing on a
 * machine that never rests, and so may all that it starts. There is no way back: the kernel gives one to whose RLIMIT_NICE would allow the
 * niceness, and who gave that to the supervisor would give it to all inside. Threads beside a main thread that waits aren't seen.
 */
import { execFile } from "node:child_process";
import { getPriority, setPriority } from "node:os";

/** Ten steps of niceness: a tenth of the share of a thread that has none. */
const NICENESS = 10;
/** Who never waited in so many looks is one that loops: three seconds. */
const LOOKS = 30;

/** A process, as it is seen. */
interface Seen {
  readonly pid: number;
  /** It runs, or would if it had a processor. */
  readonly runs: boolean;
}

/** All that this process starts is nice, and so is it itself. */
export function giveWay(): void {
  if (getPriority() < NICENESS) setPriority(NICENESS);
}

/** Demotes those who never wait. */
export class Demotion {
  /** In how many looks, one behind the other, each process ran. */
  #running = new Map<number, number>();

  /** Shown all that there are, at every look. */
  look(all: readonly Seen[]): void {
    const running = all.filter(({ runs }) => runs).map(({ pid }) => pid);
    this.#running = new Map(running.map((pid) => [pid, (this.#running.get(pid) ?? 0) + 1]));
    for (const [pid, looks] of this.#running) if (looks === LOOKS) demote(pid);
  }
}

/** Node has no call for it. Where there is no `chrt` it stays nice. */
function demote(pid: number): void {
  execFile("/usr/bin/chrt", ["-a", "-i", "-p", "0", String(pid)], { env: {} }, () => undefined);
}
