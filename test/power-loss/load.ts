/** The load: some keys, several lanes each, every lane one write at a time as fast as they are answered. */
import type { KeyState, Ledger, Outcome } from "./ledger.ts";

/** A way to reach the server. Never throws: what went wrong is an outcome. */
export interface Caller {
  add(key: string, lane: string, id: number): Promise<Outcome>;
  read(key: string): Promise<KeyState>;
  close(): void;
}

export interface LaneOptions {
  /** A lane goes on after a write of unknown outcome. Default: it ends. */
  readonly throughUnknown?: boolean;
}

export interface LoadOptions extends LaneOptions {
  readonly keys: readonly string[];
  /** Writes in flight per key. */
  readonly lanes: number;
}

export class Load {
  readonly #caller: Caller;
  readonly #ledger: Ledger;
  readonly #lanes: Promise<void>[] = [];
  readonly #throughUnknown: boolean;
  #stopped = false;

  constructor(caller: Caller, ledger: Ledger, { keys, lanes, throughUnknown = false }: LoadOptions) {
    this.#caller = caller;
    this.#ledger = ledger;
    this.#throughUnknown = throughUnknown;
    for (const key of keys) for (let n = 0; n < lanes; n++) this.#lanes.push(this.#run(key, `l${n}`));
  }

  async #run(key: string, lane: string): Promise<void> {
    while (!this.#stopped) {
      const id = this.#ledger.send(key, lane);
      const outcome = await this.#caller.add(key, lane, id);
      this.#ledger.settle(key, lane, id, outcome);
      if (outcome.kind === "unknown" && !this.#throughUnknown) return;
    }
  }

  /** No new writes; resolves when those in flight have an outcome. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }
}

/** Asks for every key that was ever written to. */
export async function auditAll(caller: Caller, ledger: Ledger): Promise<string[]> {
  const problems = await Promise.all(
    ledger.keys.map(async (key) => ledger.audit(key, await caller.read(key))),
  );
  return problems.flat();
}

interface ErrorBody {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata?: unknown;
  readonly retryable: boolean;
}

/** What an error that the server sent says about the write. */
export function outcomeOf(error: ErrorBody): Outcome {
  const name = `${error.group}.${error.code}`;
  const applied = (error.metadata as { applied?: unknown } | undefined)?.applied;
  if (name === "storage.commit_failed" || (name === "storage.disk_full" && applied !== undefined)) {
    const text = `${name} ${applied}`;
    return applied === "no" ? { kind: "refused", error: text } : { kind: "unknown", error: text };
  }
  if (name === "client.outcome_unknown") return { kind: "unknown", error: name };
  if (error.retryable) return { kind: "refused", error: name };
  return { kind: "unknown", error: `${name}: ${error.message}` };
}
