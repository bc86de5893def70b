/** What the commands and files of every `SandboxDriver` must do. Call it in a test file: it registers stories with vitest. */
import { expect, test } from "vitest";
import type { FileStore, ImageChanges, Sandbox } from "../../packages/agent-os/src/index.ts";
import { boot, bytes, type DriverUnderTest, storyteller, text } from "./drivers.ts";

/** Keeps what it is told, as a database would. */
export class Shelf implements FileStore {
  full = false;
  saves = 0;
  readonly #entries = new Map<string, ImageChanges[number][1]>();

  async load(): Promise<ImageChanges> {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async save(changes: ImageChanges): Promise<void> {
    if (this.full) throw new Error("no room");
    this.saves += 1;
    for (const [path, entry] of changes) {
      if (entry.type !== "directory")
        for (const [known, { type }] of this.#entries)
          if (known.startsWith(`${path}/`) && type !== "removed") this.#entries.delete(known);
      if (entry.type === "removed" && !entry.given) this.#entries.delete(path);
      else this.#entries.set(path, entry);
    }
  }
}

/** Ways to put something of each kind at a path, whatever was there. */
const kinds = {
  file: (path: string) => `rm -rf ${path}; echo new > ${path}`,
  directory: (path: string) => `rm -rf ${path}; mkdir ${path}; echo new > ${path}/new`,
  link: (path: string) => `rm -rf ${path}; ln -s /home/user ${path}`,
};

/** What is at a path, in a word. */
const lookAt = (path: string) =>
  `if [ -L ${path} ]; then echo link; elif [ -d ${path} ]; then echo directory: $(ls ${path}); else echo file; fi`;

/** Each kind takes the place of each at these paths, and each time another sandbox has what the one before it has left. */
export async function tellOfKinds(boot: () => Promise<Sandbox>, paths: readonly string[]): Promise<void> {
  const look = paths.map(lookAt).join("; ");
  const order = ["link", "file", "directory", "link", "directory", "file", "link"] as const;
  for (const kind of order) {
    const found = kind === "directory" ? "directory: new" : kind;
    const before = await boot();
    expect((await before.exec(paths.map(kinds[kind]).join("; "))).stderr).toBe("");
    expect((await before.exec(look)).stdout).toBe(`${found}\n`.repeat(paths.length));
    await before.shutdown();
    const after = await boot();
    expect((await after.exec(look)).stdout).toBe(`${found}\n`.repeat(paths.length));
    await after.shutdown();
  }
}

/** Registers the kit's stories for one driver. */
export function fileKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "files");

  story("a link is removed, replaced and moved wherever it leads, also nowhere", async (sandbox) => {
    const says = async (command: string) => (await sandbox.exec(command)).stdout;
    expect(await says("ln -s v1 a; rm a; echo $?; ln -s v1 a; rm -f a; ls -A")).toBe("0\n");
    expect(
      await says("ln -s v1 a; ln -s v2 a || readlink a; ln -sf v2 a; readlink a; mv a b; readlink b; ls -A"),
    ).toBe("v1\nv2\nv2\nb\n");
    expect(await says("echo in > file; mv file b; cat b; ls -A; rm b")).toBe("in\nb\n");
    expect(await says("mkdir d; echo x > d/x; ln -s d l; rm l; ls -A d; ls -A; rm -r d")).toBe("x\nd\n");
    await sandbox.exec("ln -s v1 a; ln -s v1 b");
    await sandbox.remove("/home/user/a");
    await sandbox.move("/home/user/b", "/home/user/c");
    await sandbox.exec("ln -s nowhere d");
    await sandbox.move("/home/user/c", "/home/user/d");
    expect(await says("ls -A; readlink d")).toBe("d\nv1\n");
    await expect(sandbox.remove("/home/user/a")).rejects.toMatchObject({ code: "file_failed" });
  });

  story(
    "a command has an exit code and streams; directory, variables and stdin are the caller's",
    async (sandbox) => {
      expect(await sandbox.exec("echo out; echo err >&2; exit 3")).toEqual({
        exitCode: 3,
        stdout: "out\n",
        stderr: "err\n",
        truncated: false,
      });
      const options = { cwd: "/tmp", env: { NAME: "ann" }, stdin: "in" };
      expect((await sandbox.exec("pwd; echo $NAME; cat", options)).stdout).toBe("/tmp\nann\nin");
      expect((await sandbox.exec("pwd; echo $HOME; cat")).stdout).toBe("/home/user\n/home/user\n");
      expect(await sandbox.exec("nosuch")).toMatchObject({ exitCode: 127 });
    },
  );

  story("files go both ways, with directories, links, modes and removals", async (sandbox) => {
    await sandbox.writeFile("/home/user/a/b.bin", Uint8Array.of(0, 255, 10));
    expect((await sandbox.exec("wc -c < a/b.bin")).stdout.trim()).toBe("3");
    await sandbox.exec("echo new > a/c.txt; ln -s a/c.txt link; chmod 640 a/c.txt; rm a/b.bin; mkdir -p d/e");
    expect(text(await sandbox.readFile("/home/user/link"))).toBe("new\n");
    expect(await sandbox.exists("/home/user/a/b.bin")).toBe(false);
    expect(await sandbox.readdir("/home/user")).toEqual([
      { name: "a", type: "directory" },
      { name: "d", type: "directory" },
      { name: "link", type: "symlink" },
    ]);
    const stat = await sandbox.stat("/home/user/a/c.txt");
    expect([stat.type, stat.size, stat.mode & 0o777]).toEqual(["file", 4, 0o640]);
    await sandbox.move("/home/user/a", "/home/user/d/new/a");
    expect(await sandbox.exists("/home/user/a/c.txt")).toBe(false);
    await sandbox.remove("/home/user/d", { recursive: true });
    await sandbox.mkdir("/home/user/d");
    expect(await sandbox.readdir("/home/user/d")).toEqual([]);
  });

  story("what isn't there is an error with the system's name", async (sandbox) => {
    const code = (code: string) => ({ group: "sandbox", code: "file_failed", metadata: { code } });
    await expect(sandbox.readFile("/nowhere")).rejects.toMatchObject(code("ENOENT"));
    await expect(sandbox.mkdir("/a/b/c")).rejects.toMatchObject(code("ENOENT"));
    await expect(sandbox.writeFile("/home/user", bytes("x"))).rejects.toMatchObject(code("EISDIR"));
  });

  story(
    "nothing is put below a file, nor a file in a directory's place, and what is there stays",
    async (sandbox) => {
      await sandbox.exec(
        "echo file > file; mkdir -p full/deep empty; echo code > full/deep/code; ln -s nowhere lost",
      );
      const at = (name: string) => `/home/user/${name}`;
      const refused = async (code: string, work: Promise<unknown>) =>
        await expect(work).rejects.toMatchObject({
          group: "sandbox",
          code: "file_failed",
          metadata: { code },
        });
      for (const path of ["file/a", "file/a/b"]) {
        await refused("ENOTDIR", sandbox.writeFile(at(path), bytes("x")));
        await refused("ENOTDIR", sandbox.mkdir(at(path)));
        await refused("ENOTDIR", sandbox.mkdir(at(path), { recursive: true }));
        await refused("ENOTDIR", sandbox.move(at("full"), at(path)));
        await refused("ENOTDIR", sandbox.move(at("lost"), at(path)));
      }
      await refused("EEXIST", sandbox.mkdir(at("file"), { recursive: true }));
      await refused("EEXIST", sandbox.mkdir(at("lost"), { recursive: true }));
      await refused("ENOENT", sandbox.writeFile(at("lost/a"), bytes("x")));
      await refused("EISDIR", sandbox.writeFile(at("full"), bytes("x")));
      for (const name of ["file", "lost"])
        for (const place of ["full", "empty"]) await refused("EISDIR", sandbox.move(at(name), at(place)));
      await refused("ENOTDIR", sandbox.move(at("full"), at("file")));
      await refused("ENOTEMPTY", sandbox.move(at("empty"), at("full")));
      for (const command of [
        "echo x > file/a",
        "echo x >> file/a",
        "echo x > full",
        "echo x | tee file/a",
        "mkdir file/a",
        "mkdir -p file/a/b",
        "touch file/a",
        "cp full/deep/code file/a",
        "cp -r full file/a",
        "cp -r full file",
        "mv full file/a",
        "mv lost file/a",
        "mv full file",
        "mkdir -p other/full; mv other/full .",
        "ln full/deep/code file/a",
        "ln -s full file/a",
        "echo x > lost/a",
        "touch gone/a",
        "echo x | tee gone/a",
        "cp file gone/a",
        "mv file gone/a",
        "ln -s file gone/a",
        "mkdir gone/a",
      ])
        expect((await sandbox.exec(command)).exitCode, command).not.toBe(0);
      const found = "cat file full/deep/code; readlink lost; ls -A; ls -A empty";
      const there = "file\ncode\nnowhere\nempty\nfile\nfull\nlost\nother\n";
      expect((await sandbox.exec(found)).stdout).toBe(there);
      // A directory takes the place of an empty one, and all of it goes elsewhere.
      await sandbox.move(at("full"), at("empty"));
      await sandbox.restore(await sandbox.snapshot());
      expect((await sandbox.exec("cat file empty/deep/code; ls -A")).stdout).toBe(
        "file\ncode\nempty\nfile\nlost\nother\n",
      );
    },
  );

  story(
    "a redirect that can't be opened is its command's failure, and the script goes on",
    async (sandbox) => {
      const long = "a".repeat(300);
      await sandbox.exec("echo f > f; mkdir d; ln -s f link; ln -s self self");
      for (const [target, says] of [
        ["f/y", "Not a directory"],
        ["f/y/z", "Not a directory"],
        ["link/y", "Not a directory"],
        ["/dev/null/x", "Not a directory"],
        ["d", "Is a directory"],
        ["missing/dir/y", "No such file or directory"],
        ["self", "Too many levels of symbolic links"],
        [long, "File name too long"],
      ]) {
        const { stdout, stderr, exitCode } = await sandbox.exec(
          `echo printed; echo x > ${target}; echo after $?`,
        );
        expect({ stdout, exitCode }, target).toEqual({ stdout: "printed\nafter 1\n", exitCode: 0 });
        expect(stderr, target).toContain(`${target}: ${says}\n`);
      }
      for (const [script, printed] of [
        ["echo x >> f/y; echo $?", "1\n"],
        ["ls &> f/y; echo $?", "1\n"],
        ["echo x >| f/y; echo $?", "1\n"],
        ["echo x > f/y || echo or", "or\n"],
        ["echo x > f/y && echo and; echo end", "end\n"],
        ["if echo x > f/y; then echo yes; else echo no; fi", "no\n"],
        ["{ echo a; echo b; } > f/y; echo $?", "1\n"],
        ["( echo a ) > f/y; echo $?", "1\n"],
        ["fn() { echo in; }; fn > f/y; echo $?", "1\n"],
        ["for i in 1 2; do echo $i > f/y; echo $i; done", "1\n2\n"],
        ["for i in 1 2; do echo $i; done > f/y; echo $?", "1\n"],
        ["set -e; echo x > f/y; echo not reached", ""],
        ["x=$(echo y > f/y; echo z); echo got $x", "got z\n"],
        ["cat > f/y <<END\nhello\nEND\necho $?", "1\n"],
        ["eval 'echo x > f/y'; echo $?", "1\n"],
        ["bash -c 'echo x > f/y; echo in'; echo $?", "in\n0\n"],
        ["echo x > f/y | cat; echo end", "end\n"],
        ["echo x > f/y &\nwait; echo end", "end\n"],
      ]) {
        const { stdout, stderr } = await sandbox.exec(script ?? "");
        expect(stdout, script).toBe(printed);
        expect(stderr, script).toContain("f/y: Not a directory\n");
      }
      expect((await sandbox.exec("echo x 2>/dev/null > f/y; echo $?")).stderr).toBe("");
      expect((await sandbox.exec("cat f; ls -A . d")).stdout).toBe("f\n.:\nd\nf\nlink\nself\n\nd:\n");
    },
  );

  story("what a command can't do has an exit code and the system's words", async (sandbox) => {
    await sandbox.exec("echo f > f; mkdir d; tar cf t.tar f");
    for (const [command, exitCode, says] of [
      ["mkdir f/y", 1, "'f/y': Not a directory\n"],
      ["mv f f", 1, "mv: 'f' and 'f' are the same file\n"],
      ["mv ./f /home/user/f", 1, "mv: './f' and '/home/user/f' are the same file\n"],
      ["mv d d", 1, "mv: cannot move 'd' to a subdirectory of itself, "],
      ["tar xf t.tar -C nonesuch", 2, "tar: nonesuch: Cannot open: No such file or directory\n"],
      ["tar xf t.tar -C f", 2, "tar: f: Cannot open: Not a directory\n"],
    ] as const) {
      const { stderr, ...refused } = await sandbox.exec(command);
      expect(refused, command).toMatchObject({ exitCode, stdout: "" });
      // Quotes are the locale's.
      expect(stderr.replace(/[‘’]/g, "'"), command).toContain(says);
    }
    expect((await sandbox.exec("tar xf t.tar -C d && mv f g && mv g d && ls . d")).stdout).toBe(
      ".:\nd\nt.tar\n\nd:\nf\ng\n",
    );
  });

  story(
    "what can't be a name is an error with the system's name, for whatever is to be done",
    async (sandbox) => {
      const home = "/home/user";
      const long = `${home}/${"x".repeat(256)}`;
      const deep = `${home}/${`${"x".repeat(99)}/`.repeat(50)}x`;
      for (const [path, code] of [
        [`${home}/a\0b`, "EINVAL"],
        [`${home}/half\ud800`, "EINVAL"],
        [long, "ENAMETOOLONG"],
        [`${home}/${"é".repeat(128)}/x`, "ENAMETOOLONG"],
        [deep, "ENAMETOOLONG"],
      ] as const) {
        const failed = { group: "sandbox", code: "file_failed", metadata: { code } };
        await expect(sandbox.writeFile(path, bytes("x"))).rejects.toMatchObject(failed);
        await expect(sandbox.readFile(path)).rejects.toMatchObject(failed);
        await expect(sandbox.stat(path)).rejects.toMatchObject(failed);
        await expect(sandbox.readdir(path)).rejects.toMatchObject(failed);
        await expect(sandbox.mkdir(path)).rejects.toMatchObject(failed);
        await expect(sandbox.mkdir(path, { recursive: true })).rejects.toMatchObject(failed);
        await expect(sandbox.remove(path)).rejects.toMatchObject(failed);
        await expect(sandbox.move(home, path)).rejects.toMatchObject(failed);
        expect(await sandbox.exists(path)).toBe(false);
      }
      await sandbox.writeFile(`${home}/${"x".repeat(255)}`, bytes("x"));
      expect(await sandbox.readdir(home)).toEqual([{ name: "x".repeat(255), type: "file" }]);
    },
  );

  story(
    "what is written below a link, or to one, is where it leads, for commands and for operations",
    async (sandbox) => {
      const lines = [
        "mkdir d; ln -s d l; echo one > l/f; mkdir -p l/a/b; echo two >> l/f",
        "echo 1 > t; ln -s t k; echo 2 > k; ln -s later early; echo 3 > early",
        "cp t l/copied; mv t l/moved; touch l/gone; rm l/gone; ln -s ../d/f l/again",
        "readlink k; cat d/f later d/copied d/moved d/again; ls d",
      ];
      const { stdout, stderr } = await sandbox.exec(lines.join("\n"));
      expect({ stdout, stderr }).toEqual({
        stdout: "t\none\ntwo\n3\n2\n2\none\ntwo\na\nagain\ncopied\nf\nmoved\n",
        stderr: "",
      });
      await sandbox.writeFile("/home/user/l/written", bytes("by an operation"));
      expect(text(await sandbox.readFile("/home/user/d/written"))).toBe("by an operation");
      await sandbox.writeFile("/home/user/early", bytes("4"));
      expect((await sandbox.exec("readlink early; cat later")).stdout).toBe("later\n4");
    },
  );

  story("a command starts in a directory, and where there is none it is said which", async (sandbox) => {
    await sandbox.exec("mkdir -p a/b; echo x > file; ln -s a link");
    expect((await sandbox.exec("pwd", { cwd: "a/b" })).stdout).toBe("/home/user/a/b\n");
    expect((await sandbox.exec("ls", { cwd: "/home/user/link" })).stdout).toBe("b\n");
    for (const [cwd, code] of [
      ["/nope", "ENOENT"],
      ["nope/deep", "ENOENT"],
      ["/home/user/file", "ENOTDIR"],
    ] as const) {
      const failed = { group: "sandbox", code: "file_failed", metadata: { code } };
      const command = sandbox.exec("pwd; echo ran > /home/user/ran", { cwd });
      await expect(command).rejects.toMatchObject(failed);
      await expect(command).rejects.toThrow(`${cwd}'`);
      const process = await sandbox.spawn({ command: "pwd", args: [], cwd }, () => undefined);
      expect(await process.ended).toMatchObject({ error: failed });
    }
    expect(await sandbox.exists("/home/user/ran")).toBe(false);
  });

  story(
    "case and Unicode are parts of names: what only looks alike, or like climbing, is another file",
    async (sandbox) => {
      const names = [
        "README",
        "readme",
        "\u00e9",
        "e\u0301",
        "\uff0e\uff0e",
        "..%2f..%2fetc",
        "..\\\\up",
        "a\nb",
        " ",
      ];
      for (const [n, name] of names.entries())
        await sandbox.writeFile(`/home/user/names/${name}/x`, bytes(`${n}`));
      for (const [n, name] of names.entries())
        expect(text(await sandbox.readFile(`/home/user/names/${name}/x`)), name).toBe(`${n}`);
      const found = (await sandbox.readdir("/home/user/names")).map(({ name }) => name);
      expect(found.sort()).toEqual([...names].sort());
      // As they are, they go into another sandbox.
      await sandbox.restore(await sandbox.snapshot());
      expect((await sandbox.readdir("/home/user/names")).map(({ name }) => name).sort()).toEqual(
        [...names].sort(),
      );
      for (const wrong of ["/home/user/a\0b", ""])
        await expect(sandbox.writeFile(wrong, bytes("x"))).rejects.toThrow();
    },
  );

  story("a deadline and a cancel end a loop, and the next command runs", async (sandbox) => {
    await sandbox.exec("echo kept > kept");
    const loop = sandbox.exec("while true; do :; done", { timeoutMs: 200 });
    await expect(loop).rejects.toMatchObject({ code: "deadline_exceeded", metadata: { timeoutMs: 200 } });
    const abort = new AbortController();
    const cancelled = sandbox.exec("while true; do :; done", {}, abort.signal);
    abort.abort();
    await expect(cancelled).rejects.toThrow();
    expect((await sandbox.exec("cat kept")).stdout).toBe("kept\n");
  });

  story("past the limits: output is cut in whole characters, deadlines are checked", async (sandbox) => {
    const long = await sandbox.exec("printf 'é%.0s' $(seq 300000)");
    expect([long.truncated, Buffer.byteLength(long.stdout)]).toEqual([true, 512 * 1024]);
    for (const timeoutMs of [0, -1, Number.NaN, 300_001])
      await expect(sandbox.exec("true", { timeoutMs })).rejects.toMatchObject({ code: "invalid_timeout" });
  });

  test(`${driver.name} files: with a store they outlive their sandbox`, {
    timeout: 120_000,
  }, async (context) => {
    const files = new Shelf();
    const before = await boot(driver, context, { files });
    await before.writeFile("/home/user/large", new Uint8Array(3_000_000).fill(7));
    await before.exec(
      "mkdir -p a/b gone/deep; echo one > a/b/one; ln -s a/b/one link; chmod 600 a/b/one; chmod 750 a; touch empty gone/deep/x",
    );
    await before.exec("rm -r gone; rmdir /tmp; echo file > gone; mv large great");
    await before.shutdown();
    const after = await boot(driver, context, { files });
    expect((await after.exec("ls; cat link gone; wc -c < great; ls -d /tmp")).stdout).toBe(
      "a\nempty\ngone\ngreat\nlink\none\nfile\n3000000\n",
    );
    expect((await after.stat("/home/user/a")).mode & 0o777).toBe(0o750);
    const { saves } = files;
    await after.exec("cat link");
    expect(files.saves).toBe(saves);
  });

  test(`${driver.name} files: each kind takes the place of each, and another sandbox has it`, {
    timeout: 120_000,
  }, async (context) => {
    const files = new Shelf();
    await tellOfKinds(() => boot(driver, context, { files }), ["/tmp", "/home/user/own"]);
  });

  test(`${driver.name} files: what can't be saved fails, and is told`, {
    timeout: 120_000,
  }, async (context) => {
    const files = new Shelf();
    const sandbox = await boot(driver, context, { files });
    await sandbox.exec("echo a > a");
    files.full = true;
    await expect(sandbox.exec("echo b > b")).rejects.toThrow("no room");
    await expect(sandbox.writeFile("/home/user/c", bytes("c"))).rejects.toThrow("no room");
    files.full = false;
    await sandbox.exec("echo d > d");
    const stored = (await files.load()).map(([path]) => path);
    expect(stored).toEqual(expect.arrayContaining(["/home/user/a", "/home/user/d"]));
  });

  story("a snapshot is put into another place, all or nothing", async (sandbox) => {
    await sandbox.exec("mkdir a; echo one > a/one; rmdir /tmp");
    const image = await sandbox.snapshot();
    await sandbox.exec("echo two > a/two; rm a/one; mkdir /tmp");
    await sandbox.restore(image);
    expect((await sandbox.exec("cat a/*; ls -d /tmp")).stdout).toBe("one\n");
    await sandbox.exec("echo three > a/three");
    expect((await sandbox.exec("ls a")).stdout).toBe("one\nthree\n");
  });
}
