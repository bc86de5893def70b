/** Files of a sandbox of processes that can't be saved: they blind nobody, all else is saved, and everybody is told which they are. */
import { agentOS, type FilesUnsaved, type SandboxDriver, type UnsavedPath } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import { boot as bootUnder, bytes } from "../../../../conformance/sandbox/drivers.ts";
import { Shelf } from "../../../../conformance/sandbox/file-kit.ts";
import type { ProcessDriverOptions } from "../../src/sandbox/bubblewrap/process-driver.ts";
import { missing, processDriver, processes } from "../support/bubblewrap.ts";

const MIB = 1024 * 1024;
const failed = (code: string) => ({ group: "sandbox", code: "file_failed", metadata: { code } });

interface Told {
  readonly options?: ProcessDriverOptions;
  readonly files?: Shelf;
  readonly onUnsaved?: (unsaved: readonly UnsavedPath[]) => void;
}

function boot(context: TestContext, { options, files = new Shelf(), onUnsaved }: Told = {}) {
  const make = (): SandboxDriver => processDriver(options);
  return bootUnder({ ...processes, make }, context, { files, onUnsaved });
}

/** A line for bash, whose quotes say bytes. */
const inBash = (line: string) => `bash -c ${JSON.stringify(line)}`;

test("a name or a target that isn't UTF-8 is told of with each result, and hinders nothing: all else is saved", async (context) => {
  const files = new Shelf();
  const told: (readonly UnsavedPath[])[] = [];
  const before = await boot(context, { files, onUnsaved: (unsaved) => void told.push(unsaved) });
  for (const [make, path, unmake] of [
    ["mkdir r$'\\351'; echo cv > r$'\\351'/cv", "/home/user/r\ufffd", "mv r* resume"],
    ["mkdir deep; echo 2 > deep/caf$'\\351'", "/home/user/deep/caf\ufffd", "rm deep/*"],
    ["ln -s $'\\351' link", "/home/user/link", "rm link"],
  ] as const) {
    const unsaved = [{ path, code: "EILSEQ" }];
    const made = await before.exec(`${inBash(make)}; echo printed; exit 3`);
    expect(made).toMatchObject({ exitCode: 3, stdout: "printed\n", unsaved });
    expect(made.stderr).toBe(
      `troupe: not saved, and gone when the sandbox ends: '${path}' (EILSEQ: its name or target isn't UTF-8)\n`,
    );
    // Said once where a command prints, and told each time.
    expect(await before.exec("ls | wc -l >&2; echo more >> more")).toMatchObject({
      stderr: expect.not.stringContaining("troupe"),
      unsaved,
    });
    await before.writeFile("/home/user/file", bytes(path));
    expect(new Map(await files.load()).get("/home/user/file")).toMatchObject({ content: bytes(path) });
    // Whoever needs all of it is refused.
    await expect(before.snapshot()).rejects.toMatchObject(failed("EILSEQ"));
    await expect(before.whileSaved(async () => "no")).rejects.toThrow(`'${path}' isn't saved`);
    expect(await before.exec(unmake)).not.toHaveProperty("unsaved");
    expect(told.splice(0)).toEqual([unsaved, []]);
  }
  await before.exec("echo right > by-right$(printf '\\357\\277\\275')");
  await before.exec(inBash("echo lost > $'\\351'; ln -s $'\\377' lost"));
  await before.shutdown();
  const after = await boot(context, { files });
  expect((await after.exec("ls; cat resume/cv more by-right*")).stdout).toBe(
    "by-right\ufffd\ndeep\nfile\nmore\nresume\ncv\nmore\nmore\nmore\nright\n",
  );
});

test("what is asked for by its path fails where that can't be saved; what was saved of it stays", async (context) => {
  const files = new Shelf();
  const before = await boot(context, { files, options: { fileBytes: 4 * MIB } });
  await before.exec("echo old > large; ln -s large link; echo old > target; ln -s target kept");
  await before.exec(inBash("mkdir $'\\351'; ln -s $'\\351' place; ln -sfn $'\\351' kept"));
  await expect(before.writeFile("/home/user/place/file", bytes("x"))).rejects.toMatchObject(failed("EILSEQ"));
  await expect(before.mkdir("/home/user/place/below")).rejects.toMatchObject(failed("EILSEQ"));
  expect((await before.exec("cat place/file")).stdout).toBe("x");
  await before.exec("truncate -s 3M a");
  const large = new Uint8Array(2 * MIB);
  await expect(before.writeFile("/home/user/link", large)).rejects.toMatchObject(failed("EDQUOT"));
  await before.writeFile("/home/user/other", bytes("other"));
  await before.shutdown();
  const after = await boot(context, { files, options: { fileBytes: 4 * MIB } });
  expect((await after.exec("cat large kept other; stat -c %s a; ls")).stdout).toBe(
    "old\nold\nother3145728\na\nkept\nlarge\nlink\nother\ntarget\n",
  );
});

test("files with holes are saved as long as the next sandbox has room for them, whatever else there is", async (context) => {
  const files = new Shelf();
  const options = { fileBytes: 4 * MIB };
  const before = await boot(context, { files, options });
  // Each of these takes a page, and is two bytes long; what has holes takes nothing, until it is stored.
  const crowd = "mkdir c; for n in $(seq 300); do echo > c/$n; done; truncate -s 3M holes";
  const unsaved = [{ path: "/home/user/holes", code: "EDQUOT" }];
  expect(await before.exec(crowd)).toMatchObject({ exitCode: 0, unsaved });
  expect(await before.exec("truncate -s 2M holes; truncate -s 3M beyond")).toMatchObject({
    unsaved: [{ path: "/home/user/beyond", code: "EDQUOT" }],
  });
  await before.shutdown();
  const after = await boot(context, { files, options });
  expect((await after.exec("ls c | wc -l; stat -c %s holes; ls")).stdout).toBe("300\n2097152\nc\nholes\n");
});

test("what is deeper than a path may be long hinders nobody", async (context) => {
  const files = new Shelf();
  const before = await boot(context, { files });
  const deep = "n=$(printf 'd%.0s' $(seq 250)); for i in $(seq 20); do mkdir $n && cd $n; done; echo x > x";
  const made = await before.exec(`${deep}; echo made`);
  expect(made).toMatchObject({ stdout: "made\n", unsaved: [{ code: "ENAMETOOLONG" }] });
  expect((await before.exec("echo kept > kept; pwd")).stdout).toBe("/home/user\n");
  await before.shutdown();
  expect((await (await boot(context, { files })).exec("cat kept")).stdout).toBe("kept\n");
});

test("a snapshot is gone back to from files that can't be saved", async (context) => {
  const files = new Shelf();
  const sandbox = await boot(context, { files, options: { fileBytes: 4 * MIB } });
  await sandbox.exec("echo then > then");
  const then = await sandbox.snapshot();
  await sandbox.exec(inBash("echo now > now; echo > $'\\351'; truncate -s 3M a; truncate -s 3M b"));
  await sandbox.restore(then);
  expect(await sandbox.exec("ls")).toEqual({ exitCode: 0, stdout: "then\n", stderr: "", truncated: false });
  await sandbox.shutdown();
  expect((await (await boot(context, { files })).exec("ls")).stdout).toBe("then\n");
});

test("processes, shells, and who only listens are told, too", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const workspace = agentOS({ sandbox: processDriver() });
  const { client } = await setupTest(context, setup({ use: { workspace } }));
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const heard: [string, unknown][] = [];
  conn.on("filesUnsaved", ({ unsaved }: FilesUnsaved) => void heard.push(["all", unsaved]));
  conn.on("processExit", ({ exitCode, unsaved }) => void heard.push([`process ${exitCode}`, unsaved]));
  conn.on("shellExit", ({ exitCode, unsaved }) => void heard.push([`shell ${exitCode}`, unsaved]));
  const at = (path: string) => ({ path: `/home/user/${path}\ufffd`, code: "EILSEQ" });
  const { pid } = await conn.spawn("bash", ["-c", "echo > p$'\\351'; exit 3"]);
  await expect.poll(() => heard).toContainEqual(["process 3", [at("p")]]);
  const { events } = await conn.readProcessOutput({ pid });
  expect(Buffer.concat(events.map(({ data }) => data)).toString()).toMatch(/^troupe: not saved.*'.*p\ufffd'/);
  const { shellId } = await conn.openShell({ command: "bash" });
  await conn.writeShell(shellId, "echo > s$'\\351'; exit 4\r");
  await expect.poll(() => heard).toContainEqual(["shell 4", [at("p"), at("s")]]);
  const shown = (await conn.readShellOutput({ shellId })).events.map(({ data }) => Buffer.from(data));
  expect(Buffer.concat(shown).toString()).toMatch(/troupe: not saved.*'.*s\ufffd'/);
  await expect(conn.createSnapshot({})).rejects.toMatchObject(failed("EILSEQ"));
  await expect(conn.exportRootFilesystem()).rejects.toMatchObject(failed("EILSEQ"));
  await conn.exec("rm p* s*");
  expect((await conn.exportRootFilesystem()).byteLength).toBeGreaterThan(0);
  const all = heard.filter(([who]) => who === "all");
  expect(all.map(([, unsaved]) => unsaved)).toEqual([[at("p")], [at("p"), at("s")], []]);
});

test("of very many a hundred are named", async (context) => {
  const sandbox = await boot(context);
  const { exitCode, unsaved } = await sandbox.exec(
    "for n in $(seq 150); do echo > $n$(printf '\\351'); done",
  );
  expect([exitCode, unsaved?.length]).toEqual([0, 100]);
});
