/** Attacks on what a sandbox of processes may use, and on what holds it together. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { agentOS, type BootOptions, type Sandbox, type SandboxUse } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, onTestFinished, type TestContext, test, vi } from "vitest";
import { boot as bootUnder, bytes } from "../../../../conformance/sandbox/drivers.ts";
import { Shelf } from "../../../../conformance/sandbox/file-kit.ts";
import { whyNotLoaded } from "../../../plugins/test/support/native-package.ts";
import { ProcessDriver, type ProcessDriverOptions } from "../../src/sandbox/bubblewrap/process-driver.ts";
import { missing, processDriver } from "../support/bubblewrap.ts";
import { failure } from "../support/errors.ts";

const MIB = 1024 * 1024;

function boot(
  context: TestContext,
  options: ProcessDriverOptions = {},
  rest: Omit<BootOptions, "signal"> = {},
): Promise<Sandbox> {
  return bootUnder({ name: "process", make: () => processDriver(options), missing }, context, rest);
}

test("memory: one process that takes too much is ended, and many that do together, and it is said why", async (context) => {
  const used: SandboxUse[] = [];
  const memoryBytes = 192 * MIB;
  const sandbox = await boot(context, { memoryBytes }, { onUse: (use) => void used.push(use) });
  const exceeded = { code: "limit_exceeded", metadata: { limit: "memoryBytes" } };
  await expect(sandbox.exec("head -c 900M /dev/zero | tail")).rejects.toMatchObject(exceeded);
  expect((await sandbox.exec("ulimit -d")).stdout).toBe(`${(memoryBytes + 768 * MIB) / 1024}\n`);
  const many = sandbox.exec("for n in 1 2 3 4; do (head -c 90M /dev/zero; sleep 60) | tail & done; wait");
  await expect(many).rejects.toMatchObject(exceeded);
  expect(
    used.some(({ limit, used, most }) => limit === "memoryBytes" && most === memoryBytes && used > 0),
  ).toBe(true);
  expect((await sandbox.exec("echo fine")).stdout).toBe("fine\n");
});

test("what runs gives way: all of it is nice, and a loop has only the time that nobody else wants", async (context) => {
  if (!existsSync("/usr/bin/chrt")) return context.skip("it takes chrt");
  const sandbox = await boot(context);
  expect((await sandbox.exec("nice")).stdout).toBe("10\n");
  const rests = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  const loops = await sandbox.spawn({ command: "sh", args: ["-c", "while :; do :; done"] }, () => undefined);
  const policies = async () => {
    const look = "for n in $(pgrep -x sleep) $(pgrep -x sh); do chrt -p $n | head -1; done";
    return (await sandbox.exec(look)).stdout.match(/SCHED_\w+/g);
  };
  await vi.waitFor(async () => expect(await policies()).toEqual(["SCHED_OTHER", "SCHED_IDLE"]), 30_000);
  for (const process of [rests, loops]) process.kill("SIGKILL");
  await Promise.all([rests.ended, loops.ended]);
}, 60_000);

test("a thread that loops gives way, beside one that waits; the shell of a terminal doesn't, whatever it does by itself", async (context) => {
  if (!existsSync("/usr/bin/chrt")) return context.skip("it takes chrt");
  const lacks = whyNotLoaded("@lydell/node-pty");
  if (lacks !== undefined) return context.skip(lacks);
  const sandbox = await boot(context);
  const terminal = { cols: 80, rows: 24 };
  const shell = await sandbox.spawn(
    { command: "dash", args: [], streamStdin: true, terminal },
    () => undefined,
  );
  await shell.write(bytes("touch on; while :; do :; done\r"));
  await vi.waitFor(async () => expect(await sandbox.exists("/home/user/on")).toBe(true), 20_000);
  const program = 'new (require("node:worker_threads").Worker)("for (;;);", { eval: true })';
  const args = ["-e", program];
  const loops = await sandbox.spawn({ command: "/run/troupe/node", args }, () => undefined);
  // Of each thread of the program's, and of the shell that looped before it.
  const policies = async (name: string) => {
    const look = `for n in $(pgrep -x ${name}); do for t in /proc/$n/task/*; do chrt -p \${t##*/} | head -1; done; done`;
    return (await sandbox.exec(look)).stdout.match(/SCHED_\w+/g) ?? [];
  };
  const idle = async () => (await policies("'node|MainThread'")).filter((policy) => policy === "SCHED_IDLE");
  await vi.waitFor(async () => expect(await idle()).toHaveLength(1), 40_000);
  expect(new Set(await policies("dash"))).toEqual(new Set(["SCHED_OTHER"]));
  for (const process of [shell, loops]) process.kill("SIGKILL");
  await Promise.all([shell.ended, loops.ended]);
}, 90_000);

test("files: their bytes, their length and their number have an end, also where none is stored", async (context) => {
  const sandbox = await boot(context, { fileBytes: 4 * MIB, files: 300 }, { files: new Shelf() });
  for (const place of ["/home/user", "/tmp", "/dev/shm", "/run", "/etc"])
    expect((await sandbox.exec(`cd ${place} && cat /dev/zero > big; rm -f big`)).stderr, place).toMatch(
      /No space|size limit/,
    );
  expect((await sandbox.exec("touch /dev/x")).exitCode).not.toBe(0);
  const holes = await sandbox.exec("truncate -s 3M a; truncate -s 3M b");
  expect(holes.unsaved).toMatchObject([{ code: "EDQUOT" }]);
  // By who looks first: the watch over what runs, or the save behind it.
  const many = sandbox.exec("rm a; mkdir many; cd many; touch $(seq 400)");
  const told = await many.then(
    ({ unsaved }) => unsaved,
    ({ metadata }) => [metadata],
  );
  expect([{ path: "/", code: "EDQUOT" }, { limit: "files" }]).toContainEqual(told?.[0]);
  const crowd = sandbox.exec("n=0; while true; do n=$((n+1)); : > crowd$n; done");
  await expect(crowd).rejects.toMatchObject({ code: "limit_exceeded", metadata: { limit: "files" } });
  expect((await sandbox.exec("find . -name 'crowd*' -delete; rm -rf many; echo fine")).stdout).toBe("fine\n");
});

test("a write that finds no room leaves what was there as it was, and makes nothing", async (context) => {
  const files = new Shelf();
  const sandbox = await boot(context, { fileBytes: 4 * MIB }, { files });
  const home = "/home/user";
  await sandbox.writeFile(`${home}/precious`, bytes("all my work"));
  await sandbox.exec("truncate -s 1M holes; printf end >> holes; head -c 8M /dev/zero > rest");
  const long = new Uint8Array(1.5 * MIB).fill(120);
  const refused = { group: "sandbox", code: "file_failed", metadata: { code: "ENOSPC" } };
  await sandbox.exec("ln -s ../later .dangling");
  for (const name of ["precious", "holes", "new", ".dangling"])
    await expect(sandbox.writeFile(`${home}/${name}`, long)).rejects.toMatchObject(refused);
  await expect(sandbox.writeFile(`${home}/holes`, long.subarray(0, MIB))).rejects.toMatchObject(refused);
  expect(
    (
      await sandbox.exec(
        "cat precious; stat -c %s holes; tail -c 3 holes; head -c 2M holes | tr -d '\\0'; ls; readlink .dangling; ls ..",
      )
    ).stdout,
  ).toBe(`all my work${MIB + 3}\nendendholes\nprecious\nrest\n../later\nuser\n`);
  await sandbox.writeFile(`${home}/precious`, bytes("ALL"));
  await sandbox.exec("rm rest");
  await sandbox.writeFile(`${home}/holes`, long);
  await sandbox.shutdown();
  const after = await boot(context, { fileBytes: 4 * MIB }, { files });
  expect((await after.exec("cat precious; tr -d x < holes | wc -c; stat -c %s holes")).stdout).toBe(
    `ALL0\n${long.length}\n`,
  );
}, 60_000);

test("past the number of files: who makes more is ended, who removes some isn't, and whoever asks is told what helps", async (context) => {
  const sandbox = await boot(context, { files: 300 }, { files: new Shelf() });
  const makes = "mkdir many; cd many; n=0; while true; do n=$((n+1)); : > f$n; done";
  const made = await failure(sandbox.exec(makes));
  expect([made.code, made.message]).toEqual(["limit_exceeded", expect.stringContaining("Remove some")]);
  // It looks around, as long as it likes: nothing is saved meanwhile, which is all that it is told.
  const printed: string[] = [];
  const looks = { command: "sh", args: ["-c", "sleep 0.5; ls; pwd"] };
  const look = await sandbox.spawn(looks, (_, data) => void printed.push(String(data)));
  const unsaved = [{ path: "/", code: "EDQUOT" }];
  expect(await look.ended).toEqual({ exitCode: 0, unsaved });
  expect(printed.join("")).toMatch(/^many\n\/home\/user\ntroupe: not saved.* with rm or remove\(\)\)\n$/);
  expect(await sandbox.exec("echo 1")).toMatchObject({ exitCode: 0, stdout: "1\n", unsaved });
  const told = await failure(sandbox.writeFile("/home/user/more", bytes("x")));
  expect([told.metadata, told.message]).toEqual([{ code: "EDQUOT" }, expect.stringContaining("with rm")]);
  // Slower than the watch looks.
  const slowly = "cd many; ls | head -n 20 | while read -r f; do rm $f; sleep 0.05; done; cd ..; rm -rf many";
  expect(await sandbox.exec(slowly)).toMatchObject({ exitCode: 0 });
  expect((await sandbox.exec("echo 1")).stdout).toBe("1\n");
});

test("processes: a bomb of forks explodes inside, and what it left can be swept up", async (context) => {
  const used: SandboxUse[] = [];
  const sandbox = await boot(context, { processes: 40 }, { onUse: (use) => void used.push(use) });
  const bomb = "bomb() { bomb | bomb & }; bomb; sleep 60";
  await expect(sandbox.exec(bomb, { timeoutMs: 1_500 })).rejects.toMatchObject({ code: "deadline_exceeded" });
  expect(used.some((use) => use.limit === "tasks" && use.used >= 0.8 * 40 && use.most === 40)).toBe(true);
  expect(used).toContainEqual({ limit: "execMs", used: 1_200, most: 1_500 });
  await expect.poll(async () => (await sandbox.exec("echo fine")).stdout, { timeout: 30_000 }).toBe("fine\n");
  // What it leaves running in its group ends with it, what has left the group with the sandbox.
  // What was killed takes a while to go, and room for a line alone is not yet room for what it starts.
  const left = () => sandbox.exec("sleep 1000 & echo $!").then(({ exitCode }) => exitCode, String);
  await expect.poll(left, { timeout: 30_000 }).toBe(0);
  const sleeping = async () => (await sandbox.exec("ps -e | grep -c '[s]leep'")).stdout.trim();
  await expect.poll(sleeping, { timeout: 30_000 }).toBe("0");
});

test("time on the processor: a loop is ended, and a chain of forks, and it is said why; who does nothing isn't", async (context) => {
  const used: SandboxUse[] = [];
  const sandbox = await boot(context, { cpuSeconds: 1 }, { onUse: (use) => void used.push(use) });
  const exceeded = { code: "limit_exceeded", metadata: { limit: "cpuSeconds" } };
  const idle = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  await expect(sandbox.exec("while true; do :; done")).rejects.toMatchObject(exceeded);
  // None of them comes near a limit of its own.
  const chain = "while true; do sh -c 'n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done'; done";
  await expect(sandbox.exec(chain)).rejects.toMatchObject(exceeded);
  const told = used.filter(({ limit }) => limit === "cpuSeconds");
  expect(told.some((use) => use.used >= 0.8 && use.most === 1)).toBe(true);
  idle.kill("SIGTERM");
  expect(await idle.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
});

test("what a command leaves behind in sessions of their own is bounded, also when nothing else runs", async (context) => {
  const sandbox = await boot(context, { memoryBytes: 192 * MIB, cpuSeconds: 1 });
  const running = async (name: string) =>
    (await sandbox.processes()).filter(({ command, args }) => [command, ...args].includes(name)).length;
  await sandbox.writeFile(
    "/home/user/chain",
    Buffer.from("while true; do sh -c 'n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done'; done"),
  );
  await sandbox.writeFile(
    "/home/user/hog",
    Buffer.from("(head -c 90M /dev/zero; : > full$1; sleep 1000) | tail"),
  );
  const begun = "until [ -e begun ]; do sleep 0.05; done; rm begun;";
  const leave = (line: string) => `setsid sh -c ': > begun; sleep 0.5; exec sh ${line}' & ${begun}`;
  expect((await sandbox.exec(leave("chain"))).exitCode).toBe(0);
  await expect.poll(() => running("chain"), { timeout: 30_000 }).toBe(1);
  await expect.poll(() => running("chain"), { timeout: 30_000 }).toBe(0);
  expect((await sandbox.exec([1, 2, 3, 4].map((n) => leave(`hog ${n}`)).join(" "))).exitCode).toBe(0);
  const full = () => Promise.all([1, 2, 3, 4].map((n) => sandbox.exists(`/home/user/full${n}`)));
  await expect.poll(full, { timeout: 30_000 }).toEqual([true, true, true, true]);
  await expect.poll(() => running("tail"), { timeout: 30_000 }).toBeLessThan(3);
});

test("a limit of open files", async (context) => {
  const sandbox = await boot(context, { openFiles: 64 });
  const { stderr } = await sandbox.exec('for n in $(seq 3 90); do eval "exec $n</dev/null"; done');
  expect(stderr).toMatch(/Too many open files|Bad file descriptor/);
});

test("system calls that nobody needs are refused: other sockets, tracing, namespaces, memory without a name", async (context) => {
  const sandbox = await boot(context);
  const perl = async (program: string) => (await sandbox.exec(`perl -e '${program}'`)).stdout;
  if ((await perl("print 1")) !== "1") context.skip("perl is not installed");
  // vsock leads to the host of a virtual machine, whatever the namespace.
  for (const family of [40, 17, 38]) {
    const said = await perl(
      `socket(my $s, ${family}, 1, 0) ? print "open" : print $!{EAFNOSUPPORT} ? "no" : $!`,
    );
    expect(said).toBe("no");
  }
  expect(await perl("socket(my $s, 1, 1, 0) and print 1")).toBe("1");
  const calls = process.arch === "x64" ? [101, 272, 165, 425, 321, 250] : [117, 97, 40, 425, 280, 219];
  for (const call of calls)
    expect(await perl(`print syscall(${call}, 0, 0, 0, 0, 0) == -1 && $!{EPERM} ? "no" : "yes"`)).toBe("no");
  const memfd = process.arch === "x64" ? 319 : 279;
  expect(await perl(`my $n = "x"; print syscall(${memfd}, $n, 0) == -1 && $!{ENOSYS} ? "no" : "yes"`)).toBe(
    "no",
  );
});

test("who kills everybody inside leaves the sandbox; who gets at its supervisor loses what wasn't saved", async (context) => {
  const files = new Shelf();
  const sandbox = await boot(context, {}, { files });
  await sandbox.exec("echo kept > kept");
  await sandbox.exec("kill -9 -1; kill -9 2; kill -9 -2; kill -9 1");
  expect((await sandbox.exec("cat kept")).stdout).toBe("kept\n");
  const process = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  // A signal that makes a Node say something; what it said last is told.
  const end = sandbox.exec(
    "for t in $(ls /proc/2/task); do kill -USR1 $t; done; sleep 1; for t in $(ls /proc/2/task); do kill -9 $t; done; sleep 60",
  );
  const lost = { group: "sandbox", code: "lost", retryable: true };
  await expect(end).rejects.toMatchObject({
    ...lost,
    metadata: { why: expect.stringContaining("Debugger listening") },
  });
  expect(await process.ended).toMatchObject({ exitCode: 137, error: { code: "lost" } });
  expect((await sandbox.exec("cat kept")).stdout).toBe("kept\n");
});

test("a sandbox that is lost is told of as shut down, and as booted when somebody needs it again", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const use = { workspace: agentOS({ sandbox: processDriver() }) };
  const { client } = await setupTest(context, setup({ use }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.writeFile("kept", "kept");
  const vm = async () =>
    (await handle.getSessionEvents({ sessionId: "vm" })).events.map(({ event }) => event);
  const booted = { type: "vm_booted", driver: "process" };
  const lost = { type: "vm_shutdown", reason: "error" };
  await failure(handle.exec("for t in $(ls /proc/2/task); do kill -9 $t; done; sleep 60"));
  await expect.poll(vm, { timeout: 20_000 }).toEqual([booted, lost]);
  expect((await handle.exec("cat kept")).stdout).toBe("kept");
  expect(await vm()).toEqual([booted, lost, booted]);
});

test("while a process runs its files are saved: what it wrote before a crash is there after it", async (context) => {
  const files = new Shelf();
  const sandbox = await boot(context, {}, { files });
  const line = "echo first > first; while true; do sleep 0.1; done";
  const running = await sandbox.spawn({ command: "sh", args: ["-c", line] }, () => undefined);
  const paths = async () => (await files.load()).map(([path]) => path);
  await expect.poll(paths, { timeout: 30_000 }).toContain("/home/user/first");
  running.kill("SIGTERM");
  expect(await running.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
});

test("a slow reader holds up the process that prints, and nobody else", async (context) => {
  const sandbox = await boot(context);
  const held = Promise.withResolvers<void>();
  let bytes = 0;
  const flood = await sandbox.spawn(
    { command: "head", args: ["-c", "3000000", "/dev/zero"] },
    async (_, data) => {
      bytes += data.byteLength;
      await held.promise;
    },
  );
  expect((await sandbox.exec("echo beside")).stdout).toBe("beside\n");
  expect(bytes).toBeLessThan(1_000_000);
  held.resolve();
  expect(await flood.ended).toEqual({ exitCode: 0 });
  expect(bytes).toBe(3_000_000);
});

test("all of it runs as a user without a name, and with real tools", async (context) => {
  const sandbox = await boot(context);
  const mark = String(900_000 + process.pid);
  const sleep = await sandbox.spawn({ command: "sleep", args: [mark] }, () => undefined);
  const users = () =>
    readdirSync("/proc").flatMap((pid) => {
      const file = `/proc/${pid}/cmdline`;
      return existsSync(file) && readFileSync(file, "latin1") === `sleep\0${mark}\0`
        ? [statSync(file).uid]
        : [];
    });
  await expect.poll(users).toHaveLength(1);
  if (process.getuid?.() === 0) expect(users()[0]).toBeGreaterThanOrEqual(61_184);
  sleep.kill("SIGKILL");
  expect((await sandbox.exec("/run/troupe/node -p '6 * 7'")).stdout).toBe("42\n");
  const { exitCode } = await sandbox.exec("command -v git");
  if (exitCode !== 0) return;
  const line =
    "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git log --oneline";
  expect((await sandbox.exec(line)).stdout).toMatch(/first/);
});

test("where bubblewrap isn't, or doesn't work, it is said what to install", async () => {
  const boot = (options: ProcessDriverOptions) =>
    new ProcessDriver(options).boot({ signal: new AbortController().signal });
  const unsupported = {
    group: "sandbox",
    code: "unsupported",
    metadata: { install: "apt-get install bubblewrap" },
  };
  await expect(boot({ bubblewrap: "/nowhere/bwrap" })).rejects.toMatchObject(unsupported);
  await expect(boot({ bubblewrap: "/bin/false" })).rejects.toMatchObject(unsupported);
  const wrong: object = { processses: 3 };
  expect(() => new ProcessDriver(wrong)).toThrow('"processes"');
  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  onTestFinished(() => {
    process.env.PATH = before;
  });
  await expect(boot({})).rejects.toThrow("bubblewrap is not installed");
});
