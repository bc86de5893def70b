/** workerd with a worker in it: the real binary. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

/** The path to the binary: the npm package's only export, which brings no types. */
const { default: workerd }: { default: string } = createRequire(import.meta.url)("workerd");

/** The worker as one module, without anything of Node's. */
export function bundle(file: string): Promise<string> {
  return built({ entryPoints: [fileURLToPath(new URL(file, import.meta.url))] });
}

/** The same of a worker that is made on the way. */
export function bundleText(contents: string): Promise<string> {
  return built({ stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) } });
}

async function built(from: BuildOptions): Promise<string> {
  const { outputFiles = [] } = await build({
    ...from,
    bundle: true,
    format: "esm",
    // Not "node": an import of a built-in module fails the build.
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["troupe-source"],
    // Modules of WebAssembly are workerd's to compile.
    external: ["*.wasm"],
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** One running host on workerd. */
export class EdgeHost implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  /**
   * Settles when the engine has taken the host, or refused it: with what the worker says. `modules` are those of WebAssembly that
   * it imports, by their files' names.
   */
  static async start(
    script: string,
    bindings: Readonly<Record<string, string>>,
    modules: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<[EdgeHost, string]> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-workerd-"));
    await writeFile(join(folder, "worker.js"), script);
    for (const [name, bytes] of Object.entries(modules)) await writeFile(join(folder, name), bytes);
    await writeFile(join(folder, "config.capnp"), config(bindings, Object.keys(modules)));
    const args = ["serve", join(folder, "config.capnp"), "--control-fd=3"];
    const child = spawn(workerd, args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
    const host = new EdgeHost(child, folder);
    const port = await listening(child);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const first = await response.body?.getReader().read();
    return [host, new TextDecoder().decode(first?.value)];
  }

  /** Stops the process where it is; it hears nothing until it is thawed. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}

/** The port that workerd says on its control descriptor: `{"event":"listen","socket":"http","port":…}`. */
async function listening(child: ChildProcess): Promise<number> {
  const control = child.stdio[3];
  if (!(control instanceof Readable)) throw new Error("workerd has a control descriptor");
  for await (const line of createInterface({ input: control })) {
    const message: unknown = JSON.parse(line);
    if (typeof message === "object" && message !== null && "port" in message) return Number(message.port);
  }
  throw new Error("workerd ended before it listened");
}

/** A worker that may reach this machine, and nothing else. */
function config(bindings: Readonly<Record<string, string>>, modules: readonly string[]): string {
  const compiled = modules.map((name) => `, (name = "${name}", wasm = embed "${name}")`).join("");
  const texts = Object.entries(bindings).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  );
  return `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "machine", network = (allow = ["private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")${compiled}],
  bindings = [${texts.join(", ")}],
  globalOutbound = "machine",
  compatibilityDate = "2026-01-01",
);
`;
}
