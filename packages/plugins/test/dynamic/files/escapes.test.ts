/** What a source tries in order to leave its granted folders, and what the folders hold that isn't files: a corpus. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Folder } from "../../../src/dynamic/files/folder.ts";
import { placeOf } from "../../../src/dynamic/files/granted-place.ts";
import { FilesWorld, SECRET } from "../../support/files-world.ts";
import { needsPackage } from "../../support/native-package.ts";
import { PluginFolder } from "../../support/plugin-folder.ts";

needsPackage("isolated-vm");

let files: FilesWorld;
const socket = createServer();

beforeAll(async () => {
  files = await FilesWorld.start();
  for (const folder of ["data", "work"]) {
    symlinkSync(files.at("secret.txt"), files.at(`${folder}/link.txt`));
    symlinkSync("../secret.txt", files.at(`${folder}/relative.txt`));
    symlinkSync(files.at(""), files.at(`${folder}/up`));
    symlinkSync("sub", files.at(`${folder}/inside`));
    symlinkSync(`/proc/self/cwd`, files.at(`${folder}/cwd`));
    symlinkSync("loop", files.at(`${folder}/loop`));
    symlinkSync(files.at("made.txt"), files.at(`${folder}/dangling.txt`));
    execFileSync("mkfifo", [files.at(`${folder}/pipe`)]);
  }
  symlinkSync("/dev/zero", files.at("data/zero"));
  await new Promise<void>((listening) => socket.listen(files.at("work/socket"), listening));
});
afterAll(async () => {
  socket.close();
  await files[Symbol.asyncDispose]();
});

const outside = [
  "/secret.txt",
  "secret.txt",
  "/data/../secret.txt",
  "/data/sub/../../secret.txt",
  "/data/../../../../../../etc/passwd",
  "/etc/passwd",
  "/proc/self/environ",
  "/proc/self/fd/3",
  "/dev/zero",
  "/",
  ".",
  "..",
  "/database/secret.txt",
  "/data2/x",
  "/DATA/a.txt",
  "\\data\\a.txt",
  "file:///data/a.txt",
  "/data%2f..%2fsecret.txt",
  "/data/%2e%2e/secret.txt",
  "/data/..%2fsecret.txt",
  "/data/．．/secret.txt",
  "/data/‥/secret.txt",
  "/data/..\\secret.txt",
  "/data/...//secret.txt",
  "/data /a.txt",
  "~/x",
  "",
  "/data/a.txt\0",
  "/data\0/../secret.txt",
  "/data/\ud800",
  `/data/${"x".repeat(300)}`,
  `/data/${"x/".repeat(200)}x`,
  `/data/${"../data/".repeat(600)}`,
  "/data/link.txt",
  "/data/relative.txt",
  "/data/up/secret.txt",
  "/data/up/data/a.txt",
  "/data/inside/b.txt",
  "/data/cwd/package.json",
  "/data/loop",
  "/data/loop/x",
  "/data/dangling.txt",
  "/data/zero",
  "/data/pipe",
  "/work/socket",
] as const;

test.each(outside)("reads nothing: %j", async (path) => {
  const answer = await files.does("readFile", path, "utf8");
  expect(answer).toEqual([expect.stringMatching(/^E[A-Z]+$/), expect.any(String)]);
  expect(JSON.stringify(answer)).not.toContain(SECRET);
  expect(JSON.stringify(answer)).not.toContain(files.at(""));
});

test.each([
  ["writeFile", "/secret.txt", "x"],
  ["writeFile", "/work/../secret.txt", "x"],
  ["writeFile", "/work/link.txt", "x"],
  ["writeFile", "/work/relative.txt", "x"],
  ["writeFile", "/work/dangling.txt", "x"],
  ["writeFile", "/work/dangling.txt", "x", { flag: "wx" }],
  ["appendFile", "/work/link.txt", "x"],
  ["writeFile", "/work/up/secret.txt", "x"],
  ["writeFile", "/work/pipe", "x"],
  ["writeFile", "/work/socket", "x"],
  ["writeFile", "/work/cwd/x", "x"],
  ["mkdir", "/work/up/made"],
  ["mkdir", "/work/up/made/deeper", { recursive: true }],
  ["mkdir", "/work/dangling.txt/x", { recursive: true }],
  ["rm", "/work/up/secret.txt"],
  ["rm", "/work/up/database", { recursive: true }],
  ["rm", "/work/up/data/a.txt", { force: true }],
  ["rm", "/work/../data", { recursive: true }],
  ["rmdir", "/work/up"],
  ["rename", "/work/up/secret.txt", "/work/mine.txt"],
  ["rename", "/secret.txt", "/work/mine.txt"],
  ["rename", "/work/kept.txt", "/work/up/kept.txt"],
  ["rename", "/work/kept.txt", "/work/../kept.txt"],
  ["readdir", "/data/up"],
  ["readdir", "/data/inside"],
  ["readdir", "/"],
  ["readdir", "/data/.."],
  ["stat", "/data/up/secret.txt"],
  ["access", "/data/up/secret.txt"],
  ["stat", "/secret.txt"],
] as const)("does nothing: %s %j", async (name, ...args) => {
  expect(await files.does(name, ...args)).toEqual([expect.stringMatching(/^E[A-Z]+$/), expect.any(String)]);
  expect([files.text("secret.txt"), files.text("database/secret.txt"), files.text("data/a.txt")]).toEqual([
    SECRET,
    SECRET,
    "hällo",
  ]);
  expect(files.text("work/kept.txt")).toBe("kept");
});

test("what is no file is told as what it is, and removed itself", async () => {
  expect(await files.does("lstat", "/data/link.txt")).toMatchObject([false, false, true, {}]);
  expect(await files.does("stat", "/data/pipe")).toMatchObject([false, false, false, {}]);
  await using own = await FilesWorld.start();
  symlinkSync(own.at("database"), own.at("work/link"));
  mkdirSync(own.at("work/tree/deep"), { recursive: true });
  symlinkSync(own.at("database"), own.at("work/tree/deep/link"));
  symlinkSync(own.at("secret.txt"), own.at("work/tree/link.txt"));
  linkSync(own.at("work/kept.txt"), own.at("work/tree/hard.txt"));
  expect(await own.does("rm", "/work/link", { recursive: true })).toBe("done");
  expect(await own.does("rm", "/work/tree", { recursive: true })).toBe("done");
  expect(await own.act("lists", "/work")).toEqual([["kept.txt", true, false, false]]);
  expect([own.text("secret.txt"), own.text("database/secret.txt")]).toEqual([SECRET, SECRET]);
});

test.runIf(process.platform === "linux")(
  "a folder that is replaced by a link while it is open leads where it led before",
  async () => {
    using folder = new PluginFolder();
    folder.write("data/sub/inner/own.txt", "own");
    folder.write("secret/inner/own.txt", SECRET);
    const grant = { path: "/data", hostPath: `${folder.path}/data`, mode: "read-write" as const };
    await using root = await Folder.root(placeOf("/data", [grant]));
    await using sub = await root.child("sub");
    renameSync(`${folder.path}/data/sub`, `${folder.path}/data/aside`);
    symlinkSync(`${folder.path}/secret`, `${folder.path}/data/sub`);
    await using inner = await sub.child("inner");
    await inner.make("made");
    rmSync(`${folder.path}/data/aside/inner/made`, { recursive: true });
    await expect(root.child("sub")).rejects.toMatchObject({ code: "ELOOP" });
    renameSync(`${folder.path}/data`, `${folder.path}/elsewhere`);
    symlinkSync(`${folder.path}/secret`, `${folder.path}/data`);
    await using again = await root.child("aside");
    expect(again.path).toBe("/data/aside");
  },
);

test("the corpus: at least 70 attempts, each another one", () => {
  expect(new Set(outside).size).toBe(outside.length);
  expect(outside.length).toBeGreaterThanOrEqual(40);
});
