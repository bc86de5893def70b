/** A dynamic actor with granted folders, and a secret beside them that nothing may find. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DynamicGrants, dynamicActor } from "../../src/index.ts";
import { DynamicWorld, moduleOf } from "./dynamic-world.ts";
import { PluginFolder } from "./plugin-folder.ts";

/** What stands in the file that is granted to nobody. */
export const SECRET = "nobody is granted this";

/** Calls what the file API has under that name: what it gives, or the error's code and its text. */
const source = `
  import fs, * as named from "node:fs/promises";
  ${moduleOf(`
    state: { n: 0 },
    actions: {
      does: async (c, name, ...args) => {
        try {
          const given = await fs[name](...args);
          return given === undefined ? "done" : name.endsWith("stat") ? [given.isFile(), given.isDirectory(), given.isSymbolicLink(), given.size] : given;
        } catch (error) {
          return [error.code ?? error.name, error.message];
        }
      },
      writes: (c, path, length) => fs.writeFile(path, "x".repeat(length)).then(() => "done", (error) => error.code),
      lists: async (c, path) => (await fs.readdir(path, { withFileTypes: true }))
        .map((entry) => [entry.name, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]).sort(),
      times: async (c, path) => {
        const stat = await fs.stat(path);
        return [stat.mtime instanceof Date, Math.trunc(stat.mtimeMs) === stat.mtime.getTime(), stat.birthtimeMs > 0];
      },
      names: () => [Object.keys(fs).sort(), Object.keys(named).filter((name) => name !== "default").sort(), typeof troupeFiles],
      many: (c, path, count) => Promise.all(Array.from({ length: count }, () => fs.readFile(path, "utf8"))),
      thrown: (c, path) => fs.readFile(path),
      stored: async (c, path) => { c.state.n += 1; await fs.writeFile(path, "n is " + c.state.n); return c.state.n; },
    }`)}`;

/** A folder "data" that may be read, a folder "work" that may be written, and "secret" beside them. */
export class FilesWorld implements AsyncDisposable {
  readonly #folder: PluginFolder;
  readonly world: DynamicWorld;

  private constructor(folder: PluginFolder, world: DynamicWorld) {
    this.#folder = folder;
    this.world = world;
  }

  static async start(grants: DynamicGrants = {}): Promise<FilesWorld> {
    const folder = new PluginFolder();
    folder.write("data/a.txt", "hällo");
    folder.write("data/sub/b.txt", "b");
    folder.write("work/kept.txt", "kept");
    folder.write("secret.txt", SECRET);
    folder.write("database/secret.txt", SECRET);
    const files = [
      { path: "/data", hostPath: join(folder.path, "data") },
      { path: "/work", hostPath: join(folder.path, "work"), mode: "read-write" as const },
    ];
    const use = { it: dynamicActor({ source, files, ...grants }) };
    return new FilesWorld(folder, await DynamicWorld.start(use));
  }

  does(name: string, ...args: unknown[]): Promise<unknown> {
    return this.world.act("it", "does", name, ...args);
  }

  act(action: string, ...args: unknown[]): Promise<unknown> {
    return this.world.act("it", action, ...args);
  }

  /** Where a file is on this machine. */
  at(path: string): string {
    return join(this.#folder.path, path);
  }

  text(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }

  put(path: string, content: string | Uint8Array): void {
    writeFileSync(this.at(path), content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
