/** The counter as a plugin with a manifest, in every language and on every carrier that plugins with manifests have. */
import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { TROUPE_VERSION } from "@troupe/base";
import { cExample, rustExample } from "./built.ts";
import { nodeLoad, type PluginFolder, sha256 } from "./plugin-folder.ts";
import { findPython } from "./python.ts";

const root = join(import.meta.dirname, "../../../..");
const sdk = new URL("../../src/worker.ts", import.meta.url).href;

/** A plugin that is there, or why not. */
export type MadeCounter =
  | { readonly manifest: string; readonly missing?: never }
  | { readonly missing: string };

const actors = `{
  counter: actor({
    state: { count: 0 },
    events: { changed: event() },
    actions: {
      get: (c) => c.state.count,
      crash: () => process.exit(9),
      increment: (c, by) => {
        if (!Number.isInteger(by)) throw new UserError("increment takes an integer", { code: "not_a_number" });
        c.state.count += by;
        c.broadcast("changed", c.state.count);
        return c.state.count;
      },
    },
  }),
}`;

const imports = `import { UserError } from ${JSON.stringify(import.meta.resolve("@troupe/base"))};
  import { actor, event } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};`;

/** The program of a worker in TypeScript; `more` goes into the plugin. */
export function counterWorker(more = ""): string {
  return `${imports}
    import { serveWorker } from ${JSON.stringify(sdk)};
    await serveWorker({ name: "counter", actors: ${actors}, ${more} });`;
}

/** The same in Python. */
export const counterPython = `
import os, sys
sys.path.insert(0, ${JSON.stringify(join(root, "sdks/python"))})
from troupe_plugin import Actor, Plugin, PluginError, serve

def increment(c, by):
    if not isinstance(by, int):
        raise PluginError("not_a_number", "increment takes an integer")
    c.state["count"] += by
    c.broadcast("changed", c.state["count"])
    return c.state["count"]

serve(Plugin(name="counter", actors=[Actor(
    name="counter",
    state={"count": 0},
    events=["changed"],
    actions={"get": lambda c: c.state["count"], "increment": increment, "crash": lambda c: os._exit(9)},
)]))
`;

/** Writes a manifest beside the plugin's file. */
export function counterManifest(folder: PluginFolder, load: string, kind = "worker", integrity = ""): string {
  return folder.write(
    "troupe-plugin.toml",
    `manifest_version = 1
     capabilities = ["actors", "middleware"]
     [plugin]
     id = "counter"
     version = "1.0.0"
     kind = "${kind}"
     [compat]
     troupe = "^${TROUPE_VERSION}"
     [load]
     ${load}
     [integrity]
     ${integrity}`,
  );
}

type Make = (folder: PluginFolder) => Promise<MadeCounter>;

function native(build: () => ReturnType<typeof cExample>, isolation: "process" | "in_process"): Make {
  return async (folder) => {
    const built = await build();
    if (built.missing !== undefined) return { missing: built.missing };
    const library = basename(built.path);
    copyFileSync(built.path, join(folder.path, library));
    const digest = `sha256 = "${sha256(readFileSync(built.path))}"`;
    return {
      manifest: counterManifest(
        folder,
        `library = "${library}"\nisolation = "${isolation}"`,
        "native",
        digest,
      ),
    };
  };
}

/** Every one, by what people call it. */
export const counters: readonly (readonly [string, Make])[] = [
  [
    "a module",
    async (folder) => {
      folder.write("main.ts", `${imports}\nexport default { name: "counter", actors: ${actors} };`);
      return { manifest: counterManifest(folder, 'module = "main.ts"', "module") };
    },
  ],
  [
    "a worker in TypeScript",
    async (folder) => {
      folder.write("main.ts", counterWorker());
      return { manifest: counterManifest(folder, nodeLoad("main.ts")) };
    },
  ],
  [
    "a worker in Python",
    async (folder) => {
      const python = await findPython();
      if (python.missing !== undefined) return { missing: python.missing };
      folder.write("main.py", counterPython);
      return { manifest: counterManifest(folder, 'runtime = "python"\nentrypoint = "main.py"') };
    },
  ],
  ["a library in C in this process", native(() => cExample("counter"), "in_process")],
  ["a library in C in a process of its own", native(() => cExample("counter"), "process")],
  ["a library in Rust in a process of its own", native(() => rustExample("counter"), "process")],
];
