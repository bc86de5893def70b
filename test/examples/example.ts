/** An example as people run it: a process of its own, on the built packages. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command } from "../../tools/command.ts";
import { Child } from "../power-loss/child.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the packages where they aren't. */
export async function needBuild(): Promise<void> {
  if (existsSync(join(root, "packages/troupe/dist/client.js"))) return;
  const build = ["-b", "tsconfig.build.json"];
  const result = await command(join(root, "node_modules/.bin/tsc"), build, { cwd: root, timeoutMs: 120_000 });
  if (result.status !== 0) throw new Error(`The build failed:\n${result.output}`);
}

/** `node examples/<name>/server.ts` with a data directory of its own. */
export class Example implements AsyncDisposable {
  /** Where it keeps its actors. */
  readonly data = mkdtempSync(join(tmpdir(), "troupe-example-"));
  readonly #script: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: Child | undefined;
  #url = "";

  private constructor(name: string, env: Readonly<Record<string, string>>) {
    this.#script = join(root, "examples", name, "server.ts");
    this.#env = env;
  }

  /** On a free port. */
  static async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<Example> {
    const example = new Example(name, env);
    await example.#start("0");
    return example;
  }

  /** `http://127.0.0.1:…`, the same for all its lives. */
  get url(): string {
    return this.#url;
  }

  /** `node examples/<name>/client.ts`: what it prints until it ends. */
  async runClient(name: string): Promise<string> {
    const script = join(root, "examples", name, "client.ts");
    const result = await command(process.execPath, [script, this.#url], { cwd: root, timeoutMs: 20_000 });
    if (result.status !== 0) throw new Error(`The client of ${name} failed:\n${result.output}`);
    return result.output;
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** Again, at the same address and on the same data. */
  async restart(): Promise<void> {
    await this.#start(new URL(this.#url).port);
  }

  async #start(port: string): Promise<void> {
    this.#child = new Child([this.#script], { ...this.#env, TROUPE_PORT: port, TROUPE_DATA: this.data });
    const banner = await this.#child.line("troupe ");
    this.#url = banner.split(" ")[0] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }
}
