/** Native code and what reaches the machine below JavaScript: one adapter each, in the repository as it is. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { isSource, Repository } from "../repository.ts";
import { packageOf } from "../resolve.ts";
import { platformCheck } from "./platform.ts";

/** Where each raw binding is taken in: a file, or a folder that runs in a process of its own. */
const adapters: Readonly<Record<string, readonly string[]>> = {
  "node:sqlite": ["packages/runtime/src/node/sqlite/sqlite.ts"],
  koffi: ["packages/plugins/src/carriers/native/ffi.ts"],
  "isolated-vm": ["packages/plugins/src/carriers/isolate/process/"],
  "@lydell/node-pty": ["packages/agent-os/src/sandbox/bubblewrap/inside/terminal.ts"],
};

const strangers = [
  "packages/runtime/src/actor/local/x.ts",
  "packages/runtime/src/edge/x.ts",
  "packages/plugins/src/session/x.ts",
  "packages/troupe/src/x.ts",
];

test("S3.10 raw bindings are imported by their adapters alone, and anywhere else they are refused", async () => {
  const repository = new Repository(resolve(import.meta.dirname, "../.."));
  const sources = repository.files().filter((path) => isSource(path) && path.endsWith(".ts"));
  for (const [binding, adapter] of Object.entries(adapters)) {
    const importers = sources
      .filter((path) => repository.text(path).includes(`"${binding}`))
      .filter((path) =>
        repository.module(path).imports.some(({ specifier }) => packageOf(specifier) === binding),
      );
    const outside = importers.filter((path) => !adapter.some((place) => path.startsWith(place)));
    expect([binding, importers.length > 0, outside]).toEqual([binding, true, []]);
    for (const text of [`import x from "${binding}"; x();`, `export const x = () => import("${binding}");`])
      for (const path of strangers)
        expect(await findIn(platformCheck, { [path]: text })).toEqual(
          expect.arrayContaining([expect.stringMatching(/may import|outside an adapter/)]),
        );
  }
});
