/** A plugin's folder on disk, for one test. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Origin } from "../../src/manifest/checked-file.ts";

export class PluginFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "troupe-plugin-"));

  /** As if a manifest were there. */
  get origin(): Origin {
    return { file: join(this.path, "troupe-plugin.toml"), folder: this.path };
  }

  /** Writes a file; the answer is its path. */
  write(name: string, content: string | Uint8Array, mode = 0o644): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** How a manifest says that Node runs `entrypoint`; it may use the sources that were compiled before. */
export function nodeLoad(entrypoint: string): string {
  return `runtime = "node"\nentrypoint = "${entrypoint}"\nenv = ["NODE_COMPILE_CACHE"]`;
}
