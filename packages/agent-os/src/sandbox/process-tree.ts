/** The processes of a sandbox, each below the one that started it. */
import type { SandboxProcessInfo } from "./process.ts";

/** A process and what it has started. */
export interface ProcessTreeNode extends SandboxProcessInfo {
  readonly children: readonly ProcessTreeNode[];
}

/** Those whose parent is gone stand at the top, as those that have none. */
export function processTree(all: readonly SandboxProcessInfo[]): ProcessTreeNode[] {
  const known = new Set(all.map(({ pid }) => pid));
  const below = Map.groupBy(all, ({ ppid }) => (known.has(ppid) ? ppid : 0));
  // Whoever answers from inside may tell of circles: each is told once, and what hangs on none isn't.
  const seen = new Set<number>();
  const under = (parent: number): ProcessTreeNode[] =>
    (below.get(parent) ?? []).flatMap((info) => {
      if (seen.has(info.pid)) return [];
      seen.add(info.pid);
      return [{ ...info, children: under(info.pid) }];
    });
  return under(0);
}
