/**
 * One isolate process for each runtime, shared by all its dynamic actors.
 *
 * A definition knows its runtime by the runtime's Env alone, so that the processes stand in a table of this module. It
 * is one of the few things of a module that outlive a call: two runtimes share nothing through it, since each has its own
 * Env, and a process is gone from it when the last definition has given it back.
 */
import type { Env } from "@troupe/base";
import { IsolateProcess } from "./isolate-process.ts";

interface Shared {
  readonly process: IsolateProcess;
  users: number;
}

const processes = new WeakMap<Env, Shared>();

/** A definition's part in its runtime's process. */
export interface ProcessLease {
  readonly process: IsolateProcess;
  /** Settles when the process is gone, if nobody else uses it. */
  release(): Promise<void>;
}

/** Nothing is spawned yet. */
export function leaseProcess(env: Env): ProcessLease {
  const shared = processes.get(env) ?? { process: new IsolateProcess(env), users: 0 };
  processes.set(env, shared);
  shared.users += 1;
  let held = true;
  return {
    process: shared.process,
    release: async () => {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      processes.delete(env);
      await shared.process.close();
    },
  };
}
