/** A sandbox's files as a tar: out, in, and attacks on the way in. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest } from "@troupe/runtime";
import { packTar, type TarHeader } from "modern-tar";
import { expect, onTestFinished, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { packImage, unpackImage } from "../../src/sandbox/archive.ts";
import type { ImageChanges } from "../../src/sandbox/file-store.ts";
import { rejection } from "../support/errors.ts";
import { turnsDuring } from "../support/turns.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const tarOf = (...headers: (Omit<TarHeader, "size"> & { readonly body?: Uint8Array })[]) =>
  packTar(
    headers.map(({ body, ...header }) => ({
      header: { ...header, size: body?.byteLength ?? 0 },
      ...(body === undefined ? {} : { body }),
    })),
  );

test("files go from one workspace to another, and stay there; what there was is gone", async () => {
  await using ground = await Ground.start({ workspace: agentOS() });
  const handle = (key: string) => ground.client.workspace.getOrCreate([key]);
  await handle("from").exec(
    "mkdir -p a/b; echo one > a/b/one; ln -s a/b/one link; chmod 700 a; printf '\\\\0\\\\377' > bin",
  );
  await handle("to").exec("echo old > old; mkdir a; echo other > a/other; rm -r /tmp");
  const tar = await handle("from").exportRootFilesystem();
  // Any tar reads it.
  expect(String(execFileSync("tar", ["-t"], { input: tar }))).toContain("home/user/a/b/one\n");
  await handle("to").importRootFilesystem(tar);
  const look = async (key: string) => {
    const { stdout } = await handle(key).exec("cat link; ls; ls a; ls -d /tmp; od -An -tx1 bin");
    return [stdout, (await handle(key).stat("/home/user/a")).mode & 0o777];
  };
  const before = await look("from");
  expect(before[1]).toBe(0o700);
  expect(await look("to")).toEqual(before);
  await ground.restart();
  expect(await look("to")).toEqual(before);
  // It goes on with its own files: what one changes the other doesn't see.
  await handle("to").exec("rm -r a");
  expect(await look("from")).toEqual(before);
}, 60_000);

test("an archive with a name or a target that isn't UTF-8 is refused, and one with U+FFFD by right is not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-tar-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const odd = (before: string) => Buffer.concat([Buffer.from(before), Buffer.of(0xe9)]);
  const long = "long/".repeat(40);
  mkdirSync(join(folder, "far", long), { recursive: true });
  mkdirSync(join(folder, "link"));
  mkdirSync(join(folder, "right", long), { recursive: true });
  for (const name of ["right", `right/${long}`]) writeFileSync(join(folder, name, "\ufffd"), name);
  writeFileSync(odd(join(folder, "far", long, "\ufffd")), "x");
  writeFileSync(odd(join(folder, "caf")), "x");
  symlinkSync(odd("to"), join(folder, "link/link"));
  for (const format of ["gnu", "pax", "ustar"]) {
    const unpack = (name: string | Buffer) => {
      const names = Buffer.concat([Buffer.from(name), Buffer.of(0)]);
      const args = ["-c", `--format=${format}`, "-C", folder, "--null", "-T", "-"];
      return unpackImage(execFileSync("tar", args, { input: names }));
    };
    for (const name of ["far", odd("caf"), "link"])
      expect(await rejection(unpack(name)), format).toBe("sandbox.archive_invalid");
    const files = (await unpack("right")).filter(([, { type }]) => type === "file");
    expect(files.map(([path]) => path)).toEqual([`/right/${long}\ufffd`, "/right/\ufffd"]);
  }
});

test("an archive that would do harm is refused, all of it", async () => {
  const end = async (...entries: Parameters<typeof tarOf>) => rejection(unpackImage(await tarOf(...entries)));
  const file = { type: "file", body: bytes("x") } as const;
  expect(await end({ name: "../../etc/passwd", ...file })).toBe("sandbox.archive_invalid");
  expect(await end({ name: "a/../../b", ...file })).toBe("sandbox.archive_invalid");
  expect(await end({ name: "disk", type: "block-device" })).toBe("sandbox.archive_invalid");
  expect(await end({ name: "hard", type: "link", linkname: "/etc/passwd" })).toBe("sandbox.archive_invalid");
  const link = { name: "out", type: "symlink", linkname: "/etc" } as const;
  expect(await end(link, { name: "out/passwd", ...file })).toBe("sandbox.archive_invalid");
  expect(await end({ name: "out/passwd", ...file }, link)).toBe("sandbox.archive_invalid");
  expect(await end({ name: "a", ...file }, { name: "a/b", ...file })).toBe("sandbox.archive_invalid");
  expect(await rejection(unpackImage(bytes("no tar".repeat(200))))).toBe("sandbox.archive_invalid");
  const tar = await tarOf({ name: "/abs//./x", ...file });
  expect((await unpackImage(tar)).map(([path]) => path)).toEqual(["/abs", "/abs/x"]);
});

test("what isn't known whole is refused, and it is said why: files with holes, volumes, what is compressed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-sparse-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "holes"), "");
  truncateSync(join(folder, "holes"), 900 * 1024 ** 3);
  appendFileSync(join(folder, "holes"), "end");
  writeFileSync(join(folder, "plain"), "plain");
  const made = (...args: string[]) => execFileSync("tar", ["-c", ...args], { cwd: folder });
  const said = (tar: Uint8Array) =>
    unpackImage(tar).then(
      () => "taken",
      ({ code, message }: Error & { code: string }) => `${code}: ${message}`,
    );
  const isSparse = /^archive_invalid: .*holes is sparse: make the tar without -S/;
  expect(await said(made("--format=gnu", "-S", "holes"))).toMatch(isSparse);
  for (const version of ["0.0", "0.1", "1.0"])
    expect(await said(made("--format=posix", "-S", `--sparse-version=${version}`, "holes"))).toMatch(
      isSparse,
    );
  expect(await said(made("--format=gnu", "-V", "label", "plain"))).toMatch(
    /^archive_invalid: .*label is of the type 'V'/,
  );
  expect(await said(gzipSync(made("plain")))).toMatch(/^archive_invalid: .*it is gzip: unpack that first/);
  for (const format of ["v7", "gnu", "pax", "ustar"])
    expect(await said(made(`--format=${format}`, "plain")), format).toBe("taken");
});

test("a second name of a file, as tar has them, is a file of its own; of anything else it is refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-hard-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "one"), "one", { mode: 0o640 });
  linkSync(join(folder, "one"), join(folder, "two"));
  const image = await unpackImage(execFileSync("tar", ["-c", "one", "two"], { cwd: folder }));
  const told = image.map(([path, entry]) => [
    path,
    entry.type === "file" && String(Buffer.from(entry.content)),
    "mode" in entry && entry.mode,
  ]);
  expect(told).toEqual([
    ["/one", "one", 0o640],
    ["/two", "one", 0o640],
  ]);
  const end = async (...entries: Parameters<typeof tarOf>) => rejection(unpackImage(await tarOf(...entries)));
  const second = { name: "second", type: "link", linkname: "first" } as const;
  expect(await end(second, { name: "first", type: "file", body: bytes("x") })).toBe(
    "sandbox.archive_invalid",
  );
  expect(await end({ name: "first", type: "directory" }, second)).toBe("sandbox.archive_invalid");
  expect(await end({ ...second, linkname: "../second" })).toBe("sandbox.archive_invalid");
  // Each counts with what it holds.
  const body = new Uint8Array(limits.sandboxFileBytes);
  expect(await end({ name: "first", type: "file", body }, second)).toBe("sandbox.archive_too_large");
});

test("names, paths, depths, links and times that no real file system takes are refused", async () => {
  const file = { type: "file", body: bytes("x") } as const;
  const taken = async (...entries: Parameters<typeof tarOf>) =>
    (await unpackImage(await tarOf(...entries))).length;
  const refused = async (...entries: Parameters<typeof tarOf>) =>
    expect(await rejection(unpackImage(await tarOf(...entries)))).toBe("sandbox.archive_invalid");
  const name = "n".repeat(255);
  expect(await taken({ name, ...file })).toBe(1);
  await refused({ name: `${name}n`, ...file });
  await refused({ name: "ü".repeat(128), ...file });
  const path = `${`${name}/`.repeat(15)}${"n".repeat(254)}`;
  expect(await taken({ name: path, ...file })).toBe(16);
  await refused({ name: `${path}n`, ...file });
  const deep = "d/".repeat(limits.sandboxArchiveDepth - 1);
  expect(await taken({ name: `${deep}f`, ...file })).toBe(limits.sandboxArchiveDepth);
  await refused({ name: `${deep}d/f`, ...file });
  const linkname = "t".repeat(limits.sandboxLinkTargetBytes);
  expect(await taken({ name: "link", type: "symlink", linkname })).toBe(1);
  await refused({ name: "link", type: "symlink", linkname: `${linkname}t` });
  await refused({ name: "link", type: "symlink", linkname: "" });
  await refused({ name: "late", ...file, pax: { mtime: "1e30" } });
});

test("a tar bomb takes no room and changes nothing: sizes that are only said, and what is packed in what is packed", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS() } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.writeFile("/home/user/kept", "kept");
  const said = await tarOf({ name: "huge", type: "file", body: bytes("x") });
  const declared = (octal: string) => {
    const tar = said.slice();
    tar.set(bytes(`${octal}\0`), 124);
    tar.set(bytes("        "), 148);
    const sum = tar.subarray(0, 512).reduce((all, byte) => all + byte, 0);
    tar.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return tar;
  };
  const before = process.memoryUsage().arrayBuffers;
  // 8 GiB less a byte, and one byte more than a sandbox may hold.
  for (const size of ["77777777777", (limits.sandboxFileBytes + 1).toString(8).padStart(11, "0")])
    expect(await rejection(handle.importRootFilesystem(declared(size)))).toMatch(/^sandbox\.archive_/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(limits.sandboxFileBytes);
  const packed = gzipSync(new Uint8Array(1024 * 1024));
  expect(await rejection(handle.importRootFilesystem(packed))).toBe("sandbox.archive_invalid");
  expect((await handle.exec("cat kept; ls")).stdout).toBe("keptkept\n");
});

test("an archive has a size, on both ways", async () => {
  const many = Array.from({ length: limits.sandboxArchiveEntries + 1 }, (_, n) => ({
    name: `${n}/`,
    type: "directory" as const,
  }));
  expect(await rejection(unpackImage(await tarOf(...many)))).toBe("sandbox.batch_too_large");
  const body = new Uint8Array(limits.sandboxFileBytes + 1);
  expect(await rejection(unpackImage(await tarOf({ name: "large", type: "file", body })))).toBe(
    "sandbox.archive_too_large",
  );
  const image = [
    ["/a", { type: "file", content: new Uint8Array(5_000), mode: 0o644, modifiedAt: 0 }],
  ] as const;
  expect(await rejection(packImage(image, 4_000))).toBe("sandbox.archive_too_large");
  expect(await rejection(packImage(image, 5_500))).toBe("sandbox.archive_too_large");
  expect((await packImage(image, limits.sandboxArchiveBytes)).byteLength).toBeGreaterThan(5_000);
});

test("everybody else has turns while a large archive is packed and unpacked, and any tar reads it", async () => {
  const paths = 8 * limits.sandboxTurnPaths;
  const image = Array.from({ length: paths }, (_, n): ImageChanges[number] => [
    `/${String(n).padStart(5, "0")}`,
    { type: "file", content: bytes(`${n}`), mode: 0o644, modifiedAt: 0 },
  ]);
  let tar = new Uint8Array();
  const packing = async () => {
    tar = Uint8Array.from(await packImage(image, limits.sandboxArchiveBytes));
  };
  expect(await turnsDuring(packing)).toBeGreaterThanOrEqual(7);
  expect(String(execFileSync("tar", ["-t"], { input: tar })).split("\n")).toHaveLength(paths + 1);
  let back: ImageChanges = [];
  const unpacking = async () => {
    back = await unpackImage(tar);
  };
  // As many as it has pages of headers and contents, and of paths.
  expect(await turnsDuring(unpacking)).toBeGreaterThanOrEqual(16 + 7);
  expect(back).toEqual(image);
});
