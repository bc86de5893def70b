/** The worker carrier, with real processes: what comes through, and every way to fail. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TroupeError } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import type { HostFrame, PluginFrame } from "@troupe/protocol/plugin/v1";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Carrier, CarrierEvents } from "../../src/carrier.ts";
import { ProcessTree } from "../../src/carriers/processes/process-tree.ts";
import { type WorkerOptions, workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { forCallers } from "../../src/inner-error.ts";
import type { WorkerLoad } from "../../src/manifest/load.ts";
import { openSession } from "../../src/session/open-session.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { PluginFolder, sha256 } from "../support/plugin-folder.ts";

const sdk = new URL("../../src/worker/host-link.ts", import.meta.url).href;
const grpc = import.meta.resolve("@grpc/grpc-js");

/** Answers each ping by a pong of the same number. */
const echo = `
  import { connectToHost } from ${JSON.stringify(sdk)};
  const link = await connectToHost({
    frame: ({ body }) => link.send({ body: { $case: "pong", value: { number: body.value.number } } }),
    ended: () => process.exit(0),
  });
  link.send({ body: { $case: "pong", value: { number: 0 } } });
`;

/** Speaks gRPC by hand, so that it can do what the SDK doesn't. */
function byHand(program: string): string {
  return `
    import { readSync } from "node:fs";
    import grpc from ${JSON.stringify(grpc)};
    const buffer = Buffer.alloc(65);
    readSync(3, buffer);
    const token = buffer.toString().trimEnd();
    const client = new grpc.Client("unix:" + process.env.TROUPE_WORKER_SOCKET, grpc.credentials.createInsecure());
    function attach(shown, onEnd) {
      const metadata = new grpc.Metadata();
      if (shown !== undefined) metadata.set("troupe-token", shown);
      const stream = client.makeBidiStreamRequest("/troupe.plugin.v1.WorkerHost/Attach", (b) => b, (b) => b, metadata);
      return stream.on("error", (error) => onEnd?.(error));
    }
    ${program}
  `;
}

class Story implements AsyncDisposable {
  readonly folder = new PluginFolder();
  readonly numbers: number[] = [];
  readonly ended = Promise.withResolvers<TroupeError | undefined>();
  #waiting: { count: number; resolve: () => void } | undefined;
  #carrier: Carrier | undefined;

  events: CarrierEvents = {
    frame: (frame: PluginFrame) => {
      if (frame.body?.$case === "pong") this.numbers.push(frame.body.value.number);
      if (this.numbers.length >= (this.#waiting?.count ?? Infinity)) this.#waiting?.resolve();
    },
    ended: (error) => this.ended.resolve(error),
  };

  async open(
    source: string,
    load: Partial<WorkerLoad> = {},
    options: Partial<WorkerOptions> = {},
    events: CarrierEvents = this.events,
  ): Promise<Carrier> {
    this.folder.write("worker.mjs", source);
    this.#carrier = await workerCarrier({
      plugin: "story",
      env: nodeSessionEnv,
      origin: this.folder.origin,
      load: {
        kind: "worker",
        runtime: "node",
        entrypoint: "worker.mjs",
        args: [],
        env: [],
        sha256: undefined,
        files: new Map(),
        ...load,
      },
      ...options,
    })(events);
    return this.#carrier;
  }

  /** Waits until this many pongs have come. */
  async heard(count: number): Promise<readonly number[]> {
    if (this.numbers.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = { count, resolve };
      await promise;
    }
    return this.numbers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#carrier?.close(0);
    this.folder[Symbol.dispose]();
  }
}

function ping(number: number): HostFrame {
  return { body: { $case: "ping", value: { number } } };
}

test("frames arrive whole and in order, both ways, and closing ends the process", async () => {
  await using story = new Story();
  const carrier = await story.open(echo);
  for (let number = 1; number <= 10_000; number++) carrier.send(ping(number));
  expect(await story.heard(10_001)).toEqual(Array.from({ length: 10_001 }, (_, index) => index));
  expect(await carrier.close(5_000)).toEqual({ clean: true });
  expect(await story.ended.promise).toBeUndefined();
  carrier.send(ping(1));
  expect(await carrier.close(0)).toEqual({ clean: true });
});

test("long frames go both ways at once, each end writing before it reads: neither waits for the other for ever", async () => {
  await using story = new Story();
  const bytes = 100_000;
  const count = 60;
  const whole = Promise.withResolvers<void>();
  const lengths = new Map<number, number>();
  story.events = {
    ...story.events,
    frame: ({ body }) => {
      if (body?.$case !== "invokeResult") return;
      lengths.set(body.value.invoke, body.value.payload.byteLength);
      if (lengths.size === count) whole.resolve();
    },
  };
  const carrier = await story.open(`
    import { connectToHost } from ${JSON.stringify(sdk)};
    const answer = ({ invoke, payload }) => ({ invoke, payload, error: undefined, stream: false });
    const link = await connectToHost({
      frame: ({ body }) => link.send({ body: { $case: "invokeResult", value: answer(body.value) } }),
      ended: () => process.exit(0),
    });
  `);
  for (let invoke = 1; invoke <= count; invoke += 1) {
    const rest = { kind: 1, name: "it", scope: "", timeoutMs: 0 };
    const payload = new Uint8Array(bytes).fill(invoke);
    carrier.send({ body: { $case: "invoke", value: { invoke, payload, ...rest } } });
  }
  await whole.promise;
  expect(new Set(lengths.values())).toEqual(new Set([bytes]));
});

test("the process gets an empty environment but what its manifest names, and no token in its arguments", async () => {
  await using story = new Story();
  process.env.TROUPE_TEST_GIVEN = "7";
  const told = `process.stderr.write(JSON.stringify({ env: process.env, argv: process.argv.slice(2) }))`;
  const failed = story.open(told, { env: ["TROUPE_TEST_GIVEN", "TROUPE_TEST_ABSENT"], args: ["--loud"] });
  const { metadata } = await failed.then(
    () => expect.unreachable(),
    (error: TroupeError) => error,
  );
  const said = JSON.parse(String(metadata?.stderr));
  const { TROUPE_WORKER_SOCKET: socket, TROUPE_WORKER_ID: id, ...env } = said.env;
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(env).toEqual({ TROUPE_TEST_GIVEN: "7", TROUPE_WORKER_TOKEN_FD: "3" });
  expect(said.argv).toEqual(["--loud"]);
  expect(existsSync(socket)).toBe(false);
});

test("a process that ends at once is told with its code and its last words", async () => {
  await using story = new Story();
  const source = `process.stderr.write("x".repeat(10_000) + " the licence is missing"); process.exitCode = 7;`;
  await expect(story.open(source)).rejects.toMatchObject({
    group: "plugin",
    code: "worker_exited",
    message: expect.stringContaining("ended with code 7"),
    metadata: {
      plugin: "story",
      code: 7,
      signal: null,
      stderr: expect.stringMatching(/^x{4073} the licence is missing$/),
    },
  });
});

test("a crash later on ends the carrier with the signal, once and last", async () => {
  await using story = new Story();
  const carrier = await story.open(
    byHand(`attach(token).once("data", () => process.kill(process.pid, "SIGSEGV"))`),
  );
  carrier.send(ping(1));
  expect(await story.ended.promise).toMatchObject({
    code: "worker_exited",
    metadata: { code: null, signal: "SIGSEGV" },
  });
});

test("a process that never connects is ended at its deadline, with what it started", async () => {
  await using story = new Story();
  story.folder.write("program", `#!/bin/sh\n/bin/sleep 1000 & echo "child $!" >&2; wait\n`, 0o755);
  const load = { runtime: "command", entrypoint: "program" } as const;
  const error = await story.open("", load, { connectTimeoutMs: 1_500 }).then(
    () => expect.unreachable(),
    (cause: TroupeError) => cause,
  );
  expect(error).toMatchObject({ code: "worker_connect_timeout", metadata: { timeoutMs: 1_500, refused: 0 } });
  const grandchild = Number(/child (\d+)/.exec(String(error.metadata?.stderr))?.[1]);
  expect(grandchild).toBeGreaterThan(0);
  await expect.poll(() => isRunning(grandchild)).toBe(false);
});

test("a process that connects and never says that it is ready: its name, and what it said last", async () => {
  await using story = new Story();
  const source = byHand(`
    process.stderr.write("no table of prices\\n");
    attach(token);`);
  const failed = openSession({
    env: nodeSessionEnv,
    open: async (events) => await story.open(source, {}, {}, events),
    hostVersion: "0.0.0",
    timeoutMs: 3_000,
  });
  const error = await failed.then(
    () => expect.unreachable(),
    (cause: TroupeError) => cause,
  );
  expect(error).toMatchObject({
    code: "open_timed_out",
    statusCode: 504,
    message: expect.stringMatching(/^Plugin story: its process connected, .*no table of prices$/s),
    metadata: { plugin: "story", timeoutMs: 3_000, stderr: "no table of prices\n" },
  });
  expect(JSON.stringify(forCallers(error))).not.toContain("prices");
});

/** What a worker does that spoils the machine for others, on the first ping; each bounded, should nothing stop it. */
const bombs: readonly (readonly [what: string, program: string, told: object])[] = [
  [
    "starts process after process, each in a session of its own",
    `import { spawn } from "node:child_process";
     let left = 60;
     const bomb = () => {
       for (let n = 0; n < 4 && left > 0; n += 1, left -= 1) spawn("/bin/sleep", ["3071"], { detached: true, stdio: "ignore" });
       setTimeout(bomb, 20);
     };`,
    { what: "processes", limit: 20 },
  ],
  [
    "has children that have children",
    `import { spawn } from "node:child_process";
     const bomb = () => spawn("/bin/sh", ["-c", "for n in 1 2 3 4 5; do (for m in 1 2 3 4 5; do /bin/sleep 3071 & done; wait) & done; wait"]);`,
    { what: "processes", limit: 20 },
  ],
  [
    "takes all the memory that it gets",
    `const held = [];
     const bomb = () => { if (held.length < 80) held.push(Buffer.alloc(8e6, 1)); setTimeout(bomb, 5); };`,
    { what: "memory", limit: 300_000_000 },
  ],
  [
    "has a child that takes it",
    `import { spawn } from "node:child_process";
     const hold = "const held = []; setInterval(() => held.length < 80 && held.push(Buffer.alloc(8e6, 1)), 5)";
     const bomb = () => spawn(process.execPath, ["-e", hold], { detached: true, stdio: "ignore" });`,
    { what: "memory", limit: 300_000_000 },
  ],
];

test.skipIf(process.platform !== "linux").each(bombs)(
  "S5 (in part) a worker that %s is ended with a name, and nothing of it is left",
  async (_what, program, told) => {
    await using story = new Story();
    // A time of this process's own: also what the tree never saw is found by it.
    const seconds = String(1_000_000 + process.pid);
    const source = `${program.replaceAll("3071", seconds)}
      import { connectToHost } from ${JSON.stringify(sdk)};
      const link = await connectToHost({ frame: () => bomb(), ended: () => process.exit(0) });
      link.send({ body: { $case: "pong", value: { number: process.pid } } });`;
    const bounds = { processes: 20, memoryBytes: 300_000_000 };
    const carrier = await story.open(source, {}, { bounds });
    const [worker = 0] = await story.heard(1);
    carrier.send(ping(1));
    const seen = new ProcessTree(worker);
    await expect.poll(() => seen.use(1_000).processes, { timeout: 30_000, interval: 20 }).toBe(0);
    expect(await story.ended.promise).toMatchObject({ code: "worker_exceeded", metadata: told });
    await expect.poll(() => sleepers(seconds)).toEqual([]);
  },
  60_000,
);

test("a worker that floods its output is heard all the same, and its last words are kept", async () => {
  await using story = new Story();
  const source = `${echo}
    const line = ("y".repeat(1_023) + "\\n").repeat(64);
    for (let n = 0; n < 500; n += 1) {
      process.stdout.write(line);
      if (!process.stderr.write(line)) await new Promise((resolve) => process.stderr.once("drain", resolve));
    }
    process.stderr.write("and that was all", () => link.send({ body: { $case: "pong", value: { number: process.pid } } }));`;
  const carrier = await story.open(source);
  carrier.send(ping(1));
  const [, , worker = 0] = [...(await story.heard(3))].sort((a, b) => a - b);
  expect(worker).toBeGreaterThan(1);
  process.kill(worker, "SIGKILL");
  const error = await story.ended.promise;
  expect(error).toMatchObject({ code: "worker_exited", metadata: { signal: "SIGKILL" } });
  // A line of which the beginning is gone isn't told.
  const { length } = String(error?.metadata?.stderr);
  expect(length).toBeGreaterThan(engineLimits.workerStderrBytes - 1_024);
  expect(length).toBeLessThanOrEqual(engineLimits.workerStderrBytes);
  expect(error?.metadata?.stderr).toMatch(/and that was all$/);
});

test("a wrong token is turned away, and the host waits for the right one", async () => {
  await using story = new Story();
  const wrong = byHand(`
    let rest = 2;
    const failed = (error) => { process.stderr.write(error.code + " "); if (--rest === 0) process.exit(3); };
    attach("0".repeat(64), failed);
    attach(undefined, failed);
  `);
  await expect(story.open(wrong)).rejects.toMatchObject({
    code: "worker_exited",
    metadata: { code: 3, stderr: "16 16 " },
  });
});

test("a second connection is turned away, with the right token too, and the first goes on", async () => {
  await using story = new Story();
  const twice = byHand(`
    const { PluginBatchCodec, PluginFrameCodec } = await import(${JSON.stringify(import.meta.resolve("@troupe/protocol/plugin/v1"))});
    const first = attach(token);
    first.once("data", () => {
      attach(token, (error) => {
        const frame = PluginFrameCodec.encode({ body: { $case: "pong", value: { number: error.code } } });
        first.write(Buffer.from(PluginBatchCodec.encode({ frames: [frame] })));
      });
    });
  `);
  const carrier = await story.open(twice);
  carrier.send(ping(1));
  expect(await story.heard(1)).toEqual([6]);
});

test("connections without a token are few, and when one has shown it the others are closed and nobody listens", async () => {
  await using story = new Story();
  const most = engineLimits.workerConnections;
  const many = byHand(`
    import { connect } from "node:net";
    const { PluginBatchCodec, PluginFrameCodec } = await import(${JSON.stringify(import.meta.resolve("@troupe/protocol/plugin/v1"))});
    let open = 0;
    let less = () => {};
    const idle = () => new Promise((resolve) => {
      const socket = connect(process.env.TROUPE_WORKER_SOCKET, () => resolve(open += 1)).on("error", ({ code }) => resolve(code));
      socket.on("close", () => { open -= 1; less(); }).resume();
    });
    const until = (most) => new Promise((resolve) => (less = () => open <= most && resolve())).finally(() => (less = () => {}));
    const few = until(${most});
    for (let n = 0; n < 100; n += 1) await idle();
    await few;
    const none = until(0);
    const stream = attach(token);
    stream.once("metadata", async () => {
      await none;
      const number = (await idle()) === "ENOENT" ? 7 : 8;
      const frame = PluginFrameCodec.encode({ body: { $case: "pong", value: { number } } });
      stream.write(Buffer.from(PluginBatchCodec.encode({ frames: [frame] })));
    });
  `);
  await story.open(many);
  expect(await story.heard(1)).toEqual([7]);
});

test("nonsense from a worker ends it", async () => {
  await using story = new Story();
  await story.open(
    byHand(`attach(token).write(Buffer.from([0x0a, 2, 0xff, 0xff])); setInterval(() => {}, 1000)`),
  );
  expect(await story.ended.promise).toMatchObject({ group: "plugin", code: "worker_broken" });
});

test("a message past the limit ends the worker", async () => {
  await using story = new Story();
  const bytes = engineLimits.workerMessageBytes + 1;
  await story.open(byHand(`attach(token).write(Buffer.alloc(${bytes})); setInterval(() => {}, 1000)`));
  expect(await story.ended.promise).toMatchObject({
    code: "worker_broken",
    message: expect.stringContaining(`a message has ${bytes} bytes`),
  });
});

test("a worker that closes its connection and lives on is ended", async () => {
  await using story = new Story();
  await story.open(byHand(`attach(token).end(); setInterval(() => {}, 1000)`));
  expect(await story.ended.promise).toMatchObject({ code: "worker_disconnected" });
});

test("a program that isn't one is refused with the system's reason", async () => {
  await using story = new Story();
  story.folder.write("program", "#!/nowhere/at/all\n", 0o755);
  await expect(story.open("", { runtime: "command", entrypoint: "program" })).rejects.toMatchObject({
    code: "worker_not_started",
    message: expect.stringContaining("ENOENT"),
  });
  story.folder.write("page.html", "");
  await expect(story.open("", { entrypoint: "page.html" })).rejects.toMatchObject({ code: "file_refused" });
});

test("with a digest, the checked bytes are run: a module, and a program from a private copy", async () => {
  await using story = new Story();
  const carrier = await story.open(echo, { sha256: sha256(echo) });
  expect(await story.heard(1)).toEqual([0]);
  await carrier.close(5_000);
  const script = `#!/bin/sh\necho "run as $0 in $(pwd)" >&2; exit 9\n`;
  const path = story.folder.write("bin/program", script, 0o755);
  await expect(
    story.open("", { runtime: "command", entrypoint: "bin/program", sha256: sha256(script) }),
  ).rejects.toMatchObject({
    metadata: {
      code: 9,
      stderr: expect.stringMatching(
        /^run as .*troupe-worker-[\w-]+\/plugin\/bin\/program in .*troupe-plugin-\w+\/bin\n$/,
      ),
    },
  });
  expect(existsSync(path)).toBe(true);
  await expect(story.open("", { sha256: sha256("other") })).rejects.toMatchObject({
    code: "integrity_mismatch",
  });
});

test("a place for temporary files whose path is too long for a socket is named, with what to do about it", async () => {
  await using story = new Story();
  const long = join(story.folder.path, "x".repeat(100));
  mkdirSync(long);
  vi.stubEnv("TMPDIR", long);
  onTestFinished(() => void vi.unstubAllEnvs());
  const failed = await story.open(echo).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: "worker_no_socket",
    message: expect.stringContaining("TMPDIR must name a folder with a short path"),
  });
  expect(readdirSync(long)).toEqual([]);
});

test("a worker ends when its host is killed", async () => {
  await using story = new Story();
  const program = story.folder.write("host.ts", hostOf("await new Promise(() => {})"));
  story.folder.write("worker.mjs", echo.replace("number: 0", "number: process.pid"));
  const host = spawn(process.execPath, ["--conditions=troupe-source", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [worker] = await once(host.stdout, "data");
  host.kill("SIGKILL");
  expect(Number(worker)).toBeGreaterThan(0);
  await expect.poll(() => isRunning(Number(worker)), { timeout: 10_000 }).toBe(false);
});

/** A host in a process of its own: it prints the first pong's number, or why there is none. */
function hostOf(rest: string): string {
  const carrier = new URL("../../src/carriers/worker/worker-carrier.ts", import.meta.url).href;
  return `
    import { workerCarrier } from ${JSON.stringify(carrier)};
    import { nodeSessionEnv } from ${JSON.stringify(import.meta.resolve("../support/node-env.ts"))};
    const load = { kind: "worker", runtime: "node", entrypoint: "worker.mjs", args: [], env: [], sha256: undefined, files: new Map() };
    const events = { frame: ({ body }) => console.log(body.value.number), ended() {} };
    await workerCarrier({ plugin: "story", env: nodeSessionEnv, origin: { file: "host", folder: import.meta.dirname }, load })(events).then(
      async () => { ${rest} },
      (error) => console.log(JSON.stringify(error)),
    );
  `;
}

/** Processes that sleep for so long. */
function sleepers(seconds: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`sleep\0${seconds}`)
      );
    } catch {
      return false;
    }
  });
}

/** A process that was killed may wait for its parent to hear of it: it doesn't run any more. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
