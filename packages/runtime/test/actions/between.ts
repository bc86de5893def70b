/** Actors that call each other, for the stories of what goes along with such a call. */
import { actor } from "@troupe/runtime";
import type { Driver } from "../driver/driver.ts";
import { codeOf, Latch } from "../driver/watch.ts";

/** What the actors said, in order. */
export const told: string[] = [];
/** Whoever waits for the test waits for this. */
export let gate = new Latch();

/** Closes the gate again. */
export function closeGate(): void {
  gate = new Latch();
}

/** Before each story: nothing was said, and the gate is closed. Files that share a process share this module. */
export function fresh(): void {
  told.length = 0;
  closeGate();
}

export type Names = "inner" | "outer" | "a" | "b" | "open";
export interface Target {
  readonly name: Names;
  readonly action: string;
  readonly args?: readonly unknown[];
}

/** Calls another actor of the registry by name. */
function ask(
  c: { client(): ReturnType<Driver<never>["local"]> },
  { name, action, args = [] }: Target,
): Promise<unknown> {
  return c.client().getOrCreate(name).action({ name: action, args });
}

export const inner = actor({
  state: { n: 0 },
  actions: {
    work: async (c) => {
      c.abortSignal.addEventListener("abort", () => told.push(`inner: ${codeOf(c.abortSignal.reason)}`));
      await gate.promise;
      c.state.n += 1;
      return c.state.n;
    },
    add: (c) => {
      c.state.n += 1;
      return c.state.n;
    },
    n: (c) => c.state.n,
  },
});

export const outer = actor({
  options: { actionTimeout: 60_000 },
  actions: {
    relay: async (c, action: string) => {
      c.abortSignal.addEventListener("abort", () => told.push(`outer: ${codeOf(c.abortSignal.reason)}`));
      const got = await ask(c, { name: "inner", action }).then(String, codeOf);
      told.push(`outer got ${got}`);
      return got;
    },
    /** Calls twice under one key. */
    twice: async (c) => {
      const handle = c.client().getOrCreate("inner");
      const call = { name: "add", idempotencyKey: "k" };
      return [await handle.action(call), await handle.action(call)];
    },
    /** Lets the other go on behind its own answer. */
    behind: (c) => {
      void c.keepAwake(gate.promise.then(() => ask(c, { name: "inner", action: "add" })));
      return "answered";
    },
  },
});

export const serialActions = {
  /** Waits for the test, then calls on. */
  wait: async (c: Parameters<typeof ask>[0], on: Target) => {
    told.push("in");
    await gate.promise;
    return await ask(c, on).then(String, (error: unknown) => ({ code: codeOf(error), error: String(error) }));
  },
  call: (c: Parameters<typeof ask>[0], on: Target) => ask(c, on),
  hello: () => "hello",
};
export const options = { concurrency: "serial", actionTimeout: 60_000 } as const;
export const a = actor({ options, actions: serialActions });
export const b = actor({ options, actions: serialActions });
export const open = actor({ actions: serialActions });
