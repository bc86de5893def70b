/** What a ledger keeps, and how a mark is written into it. */
import type { ActorContext } from "@troupe/runtime";

/** A ledger's state. */
export interface LedgerState {
  log: string[];
  count: number;
  mirror: number;
  /** Of the last broadcast. */
  seq: number;
  /** Of the last retained one. */
  kept: number;
  /** A built-in, which the state can't watch. */
  bag: Map<string, unknown>;
}

/** What a mark is written with. */
export type Marked = Pick<ActorContext, "kv"> & { readonly state: LedgerState };

/** One mark, in one turn. */
export function write(c: Marked, mark: string): void {
  const { state } = c;
  state.log.push(mark);
  state.count += 1;
  state.mirror = state.log.length;
  putCount(c);
}

/** The count of marks, where no wake loads it. */
export function putCount(c: Marked): void {
  void c.kv.put("count", `${c.state.log.length}`);
}
