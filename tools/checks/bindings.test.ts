/** Native code and what reaches the machine below JavaScript: one adapter each, in the repository as it is. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { isSource, Repository } from "../repository.ts";
import { packageOf } from "../resolve.ts";
import { platformCheck } from "./platform.ts";

/** Where each raw binding is taken in, for its values; types alone may be seen beside it. */
const adapters: Readonly<Record<string, readonly string[]>> = {
  "node:sqlite": ["packages/runtime/src/node/sqlite/sqlite.ts"],
  koffi: ["packages/plugins/src/carriers/native/ffi.ts"],
  "isolated-vm": [
    "packages/plugins/src/carriers/isolate/process/guest-snapshot.ts",
    "packages/plugins/src/carriers/isolate/process/load-isolate.ts",
    "packages/plugins/src/carriers/isolate/process/prepared-isolate.ts",
    "packages/plugins/src/carriers/isolate/process/running-isolate.ts",
  ],
  "@lydell/node-pty": ["packages/agent-os/src/sandbox/bubblewrap/inside/terminal.ts"],
};

const strangers = [
  "packages/runtime/src/actor/local/x.ts",
  "packages/runtime/src/edge/x.ts",
  "packages/plugins/src/session/x.ts",
  "packages/troupe/src/x.ts",
];

test("S3.10 (in part): raw bindings are imported by their adapters alone, and anywhere else they are refused", async () => {
  const repository = new Repository(resolve(import.meta.dirname, "../.."));
  const sources = repository.files().filter((path) => isSource(path) && path.endsWith(".ts"));
  for (const [binding, adapter] of Object.entries(adapters)) {
    const importers = sources
      .filter((path) => repository.text(path).includes(`"${binding}`))
      .filter((path) =>
        repository.module(path).imports.some(({ specifier }) => packageOf(specifier) === binding),
      );
    expect([binding, importers]).toEqual([binding, adapter]);
    for (const text of [`import x from "${binding}"; x();`, `export const x = () => import("${binding}");`])
      for (const path of strangers)
        expect(await findIn(platformCheck, { [path]: text })).toEqual(
          expect.arrayContaining([expect.stringMatching(/may import|outside an adapter/)]),
        );
  }
});
