/**
 * Whoever comes from RivetKit or NeMo Relay changes the name of a package and keeps the rest of its imports: each entry point of
 * theirs is here, or says what to use instead.
 */
import { readFileSync } from "node:fs";
import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";

/** Those of rivetkit 2.3.19, as its package.json lists them; `rivetkit/x` becomes `troupe/x`. */
const rivetkit = [
  ...[".", "./agent-os", "./client", "./db", "./db/drizzle", "./dynamic", "./errors", "./test", "./workflow"],
  ...["./experimental/inspector/workflow", "./inspector", "./inspector-tab", "./inspector/client"],
  ...["./log", "./unstable/migrations", "./utils"],
];

interface Listed {
  readonly exports: Readonly<Record<string, unknown>>;
}

function entriesOf(file: URL): string[] {
  const { exports }: Listed = JSON.parse(readFileSync(file, "utf8"));
  return Object.keys(exports);
}

/** NeMo Relay's, as it is installed; `nemo-relay-node/x` becomes `troupe/relay/x`. */
const nemoRelay = entriesOf(new URL("../../../node_modules/nemo-relay-node/package.json", import.meta.url));

/** Undefined for an entry that is there; else what it says. */
async function imported(entry: string): Promise<TroupeError | undefined> {
  try {
    await import(entry);
    return undefined;
  } catch (error) {
    if (TroupeError.is(error) && error.code === "moved") return error;
    throw error;
  }
}

const walked = [
  ...rivetkit.map((entry) => `troupe${entry.slice(1)}`),
  ...nemoRelay.map((entry) => `troupe/relay${entry.slice(1)}`),
];

test.each(walked)("S1.6 %s is there, or says what to use", async (entry) => {
  const moved = await imported(entry);
  if (moved === undefined) return;
  expect(moved).toMatchObject({
    group: "package",
    code: "moved",
    metadata: { entry, use: expect.any(String) },
  });
  expect(moved.message).toContain(String(moved.metadata?.use));
  const from = moved.metadata?.importFrom;
  // Nothing is removed before what takes its place is there.
  if (typeof from === "string") expect(await imported(from)).toBeUndefined();
});

test("S1.6 what moved is told of for each entry of theirs that isn't here, and for nothing else", async () => {
  const ours = entriesOf(new URL("../package.json", import.meta.url)).map(
    (entry) => `troupe${entry.slice(1)}`,
  );
  const moved: string[] = [];
  for (const entry of ours) if ((await imported(entry)) !== undefined) moved.push(entry);
  expect(walked.filter((entry) => !ours.includes(entry))).toEqual([]);
  expect(moved.filter((entry) => !walked.includes(entry))).toEqual([]);
  expect(moved).toHaveLength(10);
});
