/** Which isolates can't be stopped, and which only had nothing of a processor yet. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { Unstoppable } from "../../src/carriers/isolate/process/unstoppable.ts";

const { isolateStuckMs, isolateLateLookMs } = limits;

/** A process that has so many processors to itself. */
class Process {
  wallMs = 0;
  cpuMs = 0;
  readonly #unstoppable = new Unstoppable<string>();

  /** Looks as often as there are looks in so much time; how many of them found one. */
  pass(ms: number, late: readonly string[], processors: number): number {
    let found = 0;
    for (let gone = 0; gone < ms; gone += isolateLateLookMs) {
      this.wallMs += isolateLateLookMs;
      this.cpuMs += isolateLateLookMs * processors;
      if (this.#unstoppable.look(late, this)) found += 1;
    }
    return found;
  }
}

test("one that runs on after it was stopped is found when it had its time, and no sooner", () => {
  const it = new Process();
  expect(it.pass(isolateStuckMs, ["loops"], 1)).toBe(0);
  expect(it.pass(isolateLateLookMs, ["loops"], 1)).toBe(1);
});

test("eight that were stopped at once aren't found while there was no processor for them", () => {
  const it = new Process();
  const eight = Array.from({ length: 8 }, (_, n) => `${n}`);
  expect(it.pass(4 * isolateStuckMs, eight, 1)).toBe(0);
  expect(it.pass(600_000, eight, 0)).toBe(0);
  expect(it.pass(5 * isolateStuckMs, eight, 1)).toBeGreaterThan(0);
});

test("one that noticed in the end is forgotten, and what others have of processors is none of its own", () => {
  const it = new Process();
  expect(it.pass(isolateStuckMs, ["slow", "other"], 2)).toBe(0);
  expect(it.pass(isolateLateLookMs, [], 16)).toBe(0);
  expect(it.pass(isolateStuckMs, ["slow"], 16)).toBe(0);
});
