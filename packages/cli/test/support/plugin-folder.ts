/** Plugins on disk, for one test. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const sdk = import.meta.resolve("troupe/plugins/worker");
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

export class PluginFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "troupe-gateway-"));

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** A worker with these middleware, the source of a list; the answer is its manifest. */
  worker(id: string, middleware: string): string {
    this.write(
      `${id}/main.ts`,
      `import { serveWorker } from ${JSON.stringify(sdk)};
       await serveWorker({ name: "${id}", version: "${version}", middleware: [${middleware}] });`,
    );
    // It may use the sources that were compiled before.
    const load = 'runtime = "node"\nentrypoint = "main.ts"\nenv = ["NODE_COMPILE_CACHE"]';
    return this.manifest(id, { kind: "worker", load });
  }

  manifest(
    id: string,
    more: { kind: string; load: string; integrity?: string; startup?: string; capabilities?: string[] },
  ): string {
    const { kind, load, integrity = "", startup = "required", capabilities = ["middleware"] } = more;
    return this.write(
      `${id}/troupe-plugin.toml`,
      `manifest_version = 1
       capabilities = ${JSON.stringify(capabilities)}
       startup = "${startup}"
       [plugin]
       id = "${id}"
       version = "${version}"
       kind = "${kind}"
       [compat]
       troupe = "^${version}"
       [load]
       ${load}
       [integrity]
       ${integrity}`,
    );
  }

  /** Of every name, size, time of change and content below this folder. */
  digest(): string {
    const hash = createHash("sha256");
    for (const name of readdirSync(this.path, { recursive: true, encoding: "utf8" }).sort()) {
      const path = join(this.path, name);
      const stats = statSync(path);
      hash.update(`${name} ${stats.mode} ${stats.size} ${stats.mtimeMs} ${stats.ino}\n`);
      if (stats.isFile()) hash.update(readFileSync(path));
    }
    return hash.digest("hex");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
