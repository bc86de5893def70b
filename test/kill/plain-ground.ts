/** The ground of the kill test: plain files. A kill changes nothing in them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ground } from "../power-loss/harness.ts";

export class PlainGround implements Ground, Disposable {
  readonly path: string;
  readonly #root = mkdtempSync(join(tmpdir(), "troupe-kill-"));

  constructor() {
    this.path = join(this.#root, "data");
    mkdirSync(this.path);
  }

  environment(): Record<string, string> {
    return {};
  }

  cut(): void {}

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
