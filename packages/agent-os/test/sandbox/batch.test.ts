/** Several files in one call: what fails, fails alone. */
import { agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { rejection } from "../support/errors.ts";

test("files are written and read together; one that fails says why, the others are there", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS() } }));
  const handle = client.workspace.getOrCreate(["a"]);
  const written = await handle.writeFiles([
    { path: "/home/user/a/one.txt", content: "1" },
    { path: "/home/user/a", content: "a directory is in the way" },
    { path: "/home/user/two.txt", content: new Uint8Array([50]) },
  ]);
  expect(written.map(({ success }) => success)).toEqual([true, false, true]);
  expect(written[1]?.error).toMatch(/^sandbox\.file_failed: /);
  const read = await handle.readFiles(["/home/user/a/one.txt", "/home/user/none", "/home/user/two.txt"]);
  expect(read.map(({ content }) => content && new TextDecoder().decode(content))).toEqual(["1", null, "2"]);
  expect(read[1]?.error).toMatch(/^sandbox\.file_failed: /);
  const tree = async (options?: object) =>
    (await handle.readdirRecursive("/home/user", options)).map(({ path, type }) => `${path} ${type}`);
  expect(await tree()).toEqual([
    "/home/user/a directory",
    "/home/user/a/one.txt file",
    "/home/user/two.txt file",
  ]);
  expect(await tree({ maxDepth: 1, exclude: ["two.txt"] })).toEqual(["/home/user/a directory"]);
  const many = Array.from({ length: limits.sandboxBatchFiles + 1 }, (_, n) => `/home/user/${n}`);
  expect(await rejection(handle.readFiles(many))).toBe("sandbox.batch_too_large");
  expect(await rejection(handle.writeFiles(many.map((path) => ({ path, content: "" }))))).toBe(
    "sandbox.batch_too_large",
  );
});

test("a relative path begins where commands start, in files as in commands", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS() } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.writeFile("notes.txt", "1");
  await handle.writeFile("deep/more.txt", "2");
  expect((await handle.exec("cat notes.txt deep/more.txt")).stdout).toBe("12");
  expect(await handle.exists("/notes.txt")).toBe(false);
  expect((await handle.readdir(".")).map(({ name }) => name)).toEqual(["deep", "notes.txt"]);
});

test("a tree of too many entries is refused", async () => {
  const { readdirRecursive } = await import("../../src/sandbox/batch.ts");
  const { CheckedSandbox } = await import("../../src/sandbox/checked-sandbox.ts");
  const entries = Array.from({ length: limits.sandboxTreeEntries + 1 }, (_, n) => ({
    name: `${n}`,
    type: "file" as const,
  }));
  const crowd = Object.assign(Object.create(CheckedSandbox.prototype), { readdir: async () => entries });
  expect(await rejection(readdirRecursive(crowd, "/"))).toBe("sandbox.batch_too_large");
});
