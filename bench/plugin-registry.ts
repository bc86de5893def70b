/**
 * A runtime in the bench's own process, over fresh files, whose actors are called without a network: what is measured is the
 * actors', not a socket's.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnyActorDefinition, setup } from "@troupe/runtime";

type Use = Readonly<Record<string, AnyActorDefinition>>;

/** Calls an action of an actor by its kind and key. */
export type Act = (name: string, key: string, action: string, ...args: unknown[]) => Promise<unknown>;

/** Listens to an event of an actor, until it is told to end. */
export type Listen = (
  name: string,
  key: string,
  event: string,
  heard: () => void,
) => Promise<{ end(): Promise<void> }>;

/** Runs `work` on such a runtime, and takes it down. */
export async function withRegistry<T>(use: Use, work: (act: Act, listen: Listen) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), "troupe-bench-plugins-"));
  // What a hostile actor logs isn't what is measured.
  process.env.TROUPE_LOG ??= "silent";
  const registry = setup({ use });
  try {
    await registry.start({ port: 0, dataDir, signals: false, banner: false });
    const client = await registry.client();
    return await work(
      (name, key, action, ...args) => client.getOrCreate(name, [key]).action({ name: action, args }),
      async (name, key, event, heard) => {
        const connection = client.getOrCreate(name, [key]).connect();
        connection.on(event, heard);
        await connection.ready;
        return { end: () => connection.dispose() };
      },
    );
  } finally {
    await registry.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Resident bytes of this process's children, together. */
export function residentOfChildren(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  const pages = children.map((pid) => Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]));
  return pages.reduce((sum, each) => sum + each, 0) * 4096;
}
