/** A small repository in a temporary folder, for tests that prove that a check can fail. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Check } from "./check.ts";
import { Repository } from "./repository.ts";

export type Files = Readonly<Record<string, string>>;

/** A repository that is gone when it is disposed of. */
export class Fixture extends Repository {
  /** Writes a file, or writes it anew; what was already read stays as it was. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Writes `files` (path to text) and gives the repository that holds them. */
export function fixture(files: Files): Fixture {
  const made = new Fixture(mkdtempSync(join(tmpdir(), "troupe-check-")));
  for (const [path, text] of Object.entries(files)) made.write(path, text);
  return made;
}

/** What `check` finds in a repository of `files`, as `place: message`. */
export async function findIn(check: Check, files: Files): Promise<string[]> {
  using repository = fixture(files);
  return (await check.find(repository)).map(({ at, message }) => `${at}: ${message}`);
}

/** The package.json of a workspace with `dependencies`, all at version 1.0.0. */
export function manifest(name: string, dependencies: readonly string[] = []): string {
  const exports = { ".": { "troupe-source": "./src/index.ts", default: "./dist/index.js" } };
  return JSON.stringify({
    name,
    exports,
    dependencies: Object.fromEntries(dependencies.map((each) => [each, "1.0.0"])),
  });
}
