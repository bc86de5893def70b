/** One actor's own file, opened and left again while it still closes. */
import { expect, test } from "vitest";
import type { ActorFile } from "../../src/node/sqlite/own/actor-file.ts";
import { OwnFiles } from "../../src/node/sqlite/own/own-files.ts";
import type { Row } from "../../src/ports/storage.ts";
import { macrotask, testEnv } from "./test-env.ts";

/** A file that takes its time to close. */
class SlowFile implements ActorFile {
  readonly said: string[] = [];
  readonly #closings: (() => void)[] = [];

  load(): readonly Row[] {
    this.said.push("load");
    return [];
  }

  read(): [] {
    return [];
  }

  list(): [] {
    return [];
  }

  sql(): never {
    throw new Error("nobody asks");
  }

  write(): void {}

  sync(done: () => void): void {
    done();
  }

  abandon(): void {}

  async close(): Promise<void> {
    this.said.push("close");
    await new Promise<void>((resolve) => this.#closings.push(resolve));
    this.said.push("closed");
  }

  /** The closing that began first ends. */
  async end(): Promise<void> {
    this.#closings.shift()?.();
    await macrotask();
  }
}

test("left, opened and left again while the file closes: one closing after the other, and who comes then waits for both", async () => {
  const file = new SlowFile();
  const files = new OwnFiles({
    env: testEnv(),
    disk: { keepsClosedFiles: true, look: () => "used", file: () => file, remove: () => {} },
    onFatal: () => {},
  });
  const first = (await files.open("a", 1)).close();
  await macrotask();
  const second = (await files.open("a", 2)).close();
  await macrotask();
  const third = await files.open("a", 3);
  const rows = third.load();
  await macrotask();
  expect(file.said).toEqual(["close"]);
  await file.end();
  // Nobody closes a file that somebody has opened again.
  expect(file.said).toEqual(["close", "closed", "load"]);
  await Promise.all([first, second, rows]);
  const last = third.close();
  await macrotask();
  const again = (await files.open("a", 4)).close();
  await macrotask();
  expect(file.said.slice(3)).toEqual(["close"]);
  await file.end();
  expect(file.said.slice(3)).toEqual(["close", "closed", "close"]);
  await file.end();
  await Promise.all([last, again]);
});
