/** Folders that a program grants to a source: what it does with them, their bounds, and what goes wrong with a name. */
import { exec } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { promisify } from "node:util";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { dynamicActor } from "../../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../../support/dynamic-world.ts";
import { FilesWorld } from "../../support/files-world.ts";
import { needsPackage } from "../../support/native-package.ts";

needsPackage("isolated-vm");

const shell = promisify(exec);

test("what is granted is read: files as text and bytes, folders, what they are; paths may be relative and go up and down", async () => {
  await using files = await FilesWorld.start();
  expect(await files.does("readFile", "/data/a.txt", "utf8")).toBe("hällo");
  expect(await files.does("readFile", "/data/a.txt", { encoding: "utf-8" })).toBe("hällo");
  expect(await files.does("readFile", "/data/sub/b.txt")).toEqual(Uint8Array.of(98));
  for (const path of ["data/a.txt", "./data/sub/../a.txt", "/../data//./a.txt", "/data/a.txt/"])
    expect(await files.does("readFile", path, "utf8")).toBe("hällo");
  expect(await files.act("lists", "/data")).toEqual([
    ["a.txt", true, false, false],
    ["sub", false, true, false],
  ]);
  expect(await files.does("readdir", "/data/sub")).toEqual(["b.txt"]);
  expect(await files.does("stat", "/data/a.txt")).toEqual([true, false, false, 6]);
  expect(await files.does("stat", "/data")).toMatchObject([false, true, false, {}]);
  expect(await files.act("times", "/data/a.txt")).toEqual([true, true, true]);
  expect(await files.does("access", "/data/a.txt")).toBe("done");
  expect(await files.does("access", "/data/a.txt", 4)).toBe("done");
  // As `fs.access(path, W_OK)` is answered where a disk is mounted for reading.
  expect(await files.does("access", "/data/a.txt", 2)).toMatchObject({ 0: "EROFS" });
  expect(await files.does("access", "/data/none.txt", 2)).toMatchObject({ 0: "ENOENT" });
  expect(await files.does("access", "/work", 6)).toBe("done");
  expect(await files.does("access", "/data/a.txt", 1)).toMatchObject({
    1: expect.stringContaining("F_OK, R_OK or W_OK"),
  });
});

test("what is granted for writing is changed: files, folders, names, in one granted folder and from one to another", async () => {
  await using files = await FilesWorld.start();
  expect(await files.does("writeFile", "/work/new.txt", "one")).toBe("done");
  expect(await files.does("appendFile", "/work/new.txt", Uint8Array.of(33))).toBe("done");
  expect(files.text("work/new.txt")).toBe("one!");
  expect(await files.does("writeFile", "/work/new.txt", "2", { flag: "a" })).toBe("done");
  expect(await files.does("writeFile", "/work/new.txt", "3", { flag: "wx" })).toMatchObject({ 0: "EEXIST" });
  expect(files.text("work/new.txt")).toBe("one!2");
  expect(await files.does("writeFile", "/work/new.txt", "short")).toBe("done");
  expect(files.text("work/new.txt")).toBe("short");
  expect(await files.does("mkdir", "/work/a/b/c", { recursive: true })).toBe("done");
  expect(await files.does("mkdir", "/work/a/b/c", { recursive: true })).toBe("done");
  expect(await files.does("mkdir", "/work/a/b/c")).toMatchObject({ 0: "EEXIST" });
  expect(await files.does("mkdir", "/work/x/y")).toMatchObject({ 0: "ENOENT" });
  expect(await files.does("rename", "/work/new.txt", "/work/a/b/c/moved.txt")).toBe("done");
  expect(files.text("work/a/b/c/moved.txt")).toBe("short");
  expect(await files.does("rmdir", "/work/a")).toMatchObject({ 0: "ENOTEMPTY" });
  expect(await files.does("rm", "/work/a")).toMatchObject({ 0: "EISDIR" });
  expect(await files.does("rm", "/work/a", { recursive: true })).toBe("done");
  expect(existsSync(files.at("work/a"))).toBe(false);
  expect(await files.does("rm", "/work/a", { recursive: true })).toMatchObject({ 0: "ENOENT" });
  expect(await files.does("rm", "/work/a/b", { force: true })).toBe("done");
  expect(await files.does("unlink", "/work/kept.txt")).toBe("done");
  expect(existsSync(files.at("work/kept.txt"))).toBe(false);
});

test("a folder that is granted for reading is read alone, and what is granted stays where it is", async () => {
  await using files = await FilesWorld.start();
  const refused = 'it is granted for reading (`mode: "read-write"` is for writing)';
  for (const [name, ...args] of [
    ["writeFile", "/data/a.txt", "x"],
    ["appendFile", "/data/a.txt", "x"],
    ["mkdir", "/data/new"],
    ["rm", "/data/a.txt"],
    ["rename", "/data/a.txt", "/work/a.txt"],
    ["rename", "/work/kept.txt", "/data/kept.txt"],
  ] as const)
    expect(await files.does(name, ...args)).toMatchObject(["EROFS", expect.stringContaining(refused)]);
  expect(await files.does("rm", "/work", { recursive: true })).toMatchObject({ 0: "EBUSY" });
  expect(await files.does("rename", "/work", "/work/in")).toMatchObject({ 0: "EBUSY" });
  expect(await files.does("rename", "/work/kept.txt", "/work")).toMatchObject({ 0: "EBUSY" });
  expect([files.text("data/a.txt"), files.text("work/kept.txt")]).toEqual(["hällo", "kept"]);
});

test("the errors have the system's names and the source's paths, never the machine's", async () => {
  await using files = await FilesWorld.start();
  expect(await files.does("readFile", "/data/none")).toEqual([
    "ENOENT",
    "ENOENT: no such file or directory, '/data/none'",
  ]);
  expect(await files.does("readFile", "/data")).toMatchObject({ 0: "EISDIR" });
  expect(await files.does("readFile", "/data/sub")).toMatchObject({ 0: "EISDIR" });
  expect(await files.does("readFile", "/data/a.txt/x")).toMatchObject({ 0: "ENOTDIR" });
  expect(await files.does("readdir", "/data/a.txt")).toMatchObject({ 0: "ENOTDIR" });
  expect(await files.does("readFile", "/data/a.txt", "latin1")).toMatchObject({ 0: "TypeError" });
  expect(await files.does("writeFile", "/work/x", 7)).toMatchObject({ 0: "TypeError" });
  // It leaves the actor as any public error does.
  expect(await failure(files.act("thrown", "/data/none"))).toMatchObject({
    is: "files.ENOENT",
    metadata: { path: "/data/none" },
  });
  await using gone = await FilesWorld.start({ files: [{ path: "/data", hostPath: files.at("nowhere") }] });
  const [code, message] = Object(await gone.does("readFile", "/data/a.txt"));
  expect([code, message]).toEqual(["ENODEV", expect.stringContaining("can't be opened, '/data'")]);
  expect((await failure(gone.act("thrown", "/data/a.txt"))).is).toBe("internal.error");
});

test("files, folders, depths and calls are bounded", { timeout: 60_000 }, async () => {
  await using files = await FilesWorld.start();
  const most = limits.isolateFileBytes;
  files.put("data/most", Buffer.alloc(most, "a"));
  files.put("data/more", Buffer.alloc(most + 1, "a"));
  expect(await files.does("readFile", "/data/most")).toMatchObject({ length: most });
  expect(await files.does("readFile", "/data/more")).toMatchObject({ 0: "EFBIG" });
  expect(await files.does("writeFile", "/work/most", new Uint8Array(most))).toBe("done");
  expect(await files.does("appendFile", "/work/most", "a")).toMatchObject({ 0: "EFBIG" });
  expect(await files.act("writes", "/work/most", most)).toBe("done");
  expect(await files.act("writes", "/work/most", most + 1)).toBe("EFBIG");
  mkdirSync(files.at("data/full"));
  // By a process of their own: the server is in this one, and on a slow disk would find its connections idle for too long.
  await shell(`seq ${limits.isolateFileEntries} | xargs touch`, { cwd: files.at("data/full") });
  expect(await files.does("readdir", "/data/full")).toHaveLength(limits.isolateFileEntries);
  files.put("data/full/one more", "");
  expect(await files.does("readdir", "/data/full")).toMatchObject({ 0: "EFBIG" });
  const deep = (depth: number) => `/work/${"d/".repeat(depth - 1)}`;
  expect(await files.does("mkdir", deep(limits.isolateFileDepth), { recursive: true })).toBe("done");
  expect(await files.does("mkdir", deep(limits.isolateFileDepth + 1), { recursive: true })).toMatchObject({
    0: "ENAMETOOLONG",
  });
  expect(await files.does("rm", "/work/d", { recursive: true })).toBe("done");
  // More than it may ask at once: the others wait in the isolate.
  expect(await files.act("many", "/data/a.txt", 3 * limits.isolateFileCalls)).toEqual(
    Array(3 * limits.isolateFileCalls).fill("hällo"),
  );
  expect(limits.isolateFileCalls).toBe(16);
  expect(limits.isolateFileCallsAtOnce).toBe(2);
  expect(limits.isolateFileBytes).toBe(4 * 1024 * 1024);
  expect(limits.isolateFileEntries).toBe(10_000);
  expect(limits.isolateFileDepth).toBe(64);
});

test("what is written waits for what the actor wrote before it; in a transaction it can't", async () => {
  await using files = await FilesWorld.start();
  expect(await files.act("stored", "/work/n.txt")).toBe(1);
  expect(files.text("work/n.txt")).toBe("n is 1");
  const inside = `import { actor } from "troupe"; import { db } from "troupe/db"; import { writeFile } from "fs/promises";
    export default actor({ db: db(), actions: {
      inside: (c) => c.db.transaction(() => writeFile("/work/in", ""), { timeout: 200 }).then(() => "left", (error) => error.group),
    } });`;
  const hostPath = files.at("work");
  await using world = await DynamicWorld.one({
    source: inside,
    needs: ["database"],
    files: [{ path: "/work", hostPath, mode: "read-write" }],
  });
  expect(await world.act("it", "inside")).toBe("sql");
  expect(existsSync(files.at("work/in"))).toBe(false);
});

test("the module is what is granted: its names, and none without a grant; a loader grants nothing", async () => {
  await using files = await FilesWorld.start();
  const names = [
    "access",
    "appendFile",
    "lstat",
    "mkdir",
    "readFile",
    "readdir",
    "rename",
    "rm",
    "rmdir",
    "stat",
  ];
  const all = [...names, "unlink", "writeFile"];
  expect(await files.act("names")).toEqual([all, all, "undefined"]);
  const source = `import "node:fs/promises"; ${moduleOf("actions: { act: () => 1 }")}`;
  for (const options of [{ source }, { source, files: [] }]) {
    await using bare = await DynamicWorld.one(options);
    expect(await failure(bare.act("it", "act"))).toMatchObject({ is: "dynamic.import_refused" });
  }
  const load = () => ({ source, files: [{ path: "/data", hostPath: files.at("data") }] });
  await using loaded = await DynamicWorld.start({ it: dynamicActor({ load }) });
  expect(await failure(loaded.act("it", "act"))).toMatchObject({ is: "dynamic.bad_option" });
  const wrong: readonly unknown[] = [
    "/data",
    [{ path: "data", hostPath: "/srv" }],
    [{ path: "/", hostPath: "/srv" }],
    [{ path: "/data/../etc", hostPath: "/srv" }],
    [{ path: "/data/", hostPath: "/srv" }],
    [{ path: "/data", hostPath: "srv" }],
    [{ path: "/data", hostPath: "/srv\0" }],
    [{ path: "/data", hostPath: "/srv", mode: "overlay" }],
    [{ path: "/data", hostPath: "/srv", write: true }],
    [
      { path: "/data", hostPath: "/srv" },
      { path: "/data/more", hostPath: "/srv" },
    ],
  ];
  for (const given of wrong)
    expect(() => Reflect.apply(dynamicActor, undefined, [{ source: "", files: given }])).toThrow(
      /`files` must be/,
    );
});
