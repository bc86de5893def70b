/**
 * The supervisor of a sandbox: the first program inside, which does there what the runtime asks for.
 *
 * It has no more rights than what it starts, and is no boundary: bubblewrap's namespaces, the filter of system calls and the limits
 * of the kernel were set before it began, and the runtime believes nothing that it says. It ends when the runtime's socket does, and all
 * processes of the sandbox end with it. It imports nothing but Node's own modules and, for terminals, one package.
 */
import { closeSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, Socket } from "node:net";
import { giveWay } from "./demotion.ts";
import { answerAboutFiles, type FileAnswer } from "./file-operations.ts";
import { Link } from "./link.ts";
import type {
  FromSupervisor,
  OpenNetwork,
  Question,
  StartProcess,
  SupervisorData,
  SystemFailure,
  ToSupervisor,
  UnsavedPath,
  WatchedLimit,
} from "./messages.ts";
import { type ProcessExit, type RunningProcess, startProcess } from "./process.ts";
import { listProcesses } from "./process-list.ts";
import { joined, WebProxy } from "./proxy.ts";
import { startDirectory } from "./start-directory.ts";
import { codeOf } from "./system-error.ts";
import { startInTerminal } from "./terminal.ts";
import { Tree } from "./tree.ts";
import { Watch } from "./watch.ts";

/** The runtime's socket: bubblewrap hands it on as stdout. */
const LINK_FD = 1;
/** O_CLOEXEC, as /proc shows it. */
const CLOSE_ON_EXEC = 0o2000000;

/** What every system has, and programs look for. */
const systemFiles: Readonly<Record<string, string>> = {
  "/etc/passwd": "user:x:1000:1000::/home/user:/bin/sh\n",
  "/etc/group": "user:x:1000:\n",
  "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/**
 * What the runtime's own parent left open for every child (a descriptor without close-on-exec) came in with us, and may lead to the host's
 * files: it is closed before anything of the sandbox's runs. Node's own are all close-on-exec.
 */
function closeInherited(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    const info = readIfThere(`/proc/self/fdinfo/${fd}`);
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? "", 8);
    if (info !== "" && (flags & CLOSE_ON_EXEC) === 0) closeSync(fd);
  }
}

/** The list's own descriptor is gone when it has been read. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

class Supervisor {
  readonly #data: SupervisorData;
  readonly #link: Link;
  readonly #tree: Tree;
  /** The way out, if there is one. */
  #proxy: WebProxy | undefined;
  /** Of every process. */
  #env: Readonly<Record<string, string>>;
  readonly #watch: Watch;
  readonly #processes = new Map<number, RunningProcess>();

  constructor(data: SupervisorData) {
    this.#data = data;
    this.#env = data.env;
    for (const [path, text] of Object.entries(systemFiles)) writeFileSync(path, text);
    for (const path of ["/home/user", "/tmp"]) mkdirSync(path, { recursive: true });
    this.#tree = new Tree(data);
    this.#link = new Link({
      socket: new Socket({ fd: LINK_FD, readable: true, writable: true }),
      limits: data,
      firstChannel: 2,
      // The runtime speaks its own words.
      onMessage: (message, body) => this.#hear(message as ToSupervisor, body),
      onLost: () => process.exit(1),
    });
    const send = (message: FromSupervisor, body?: Uint8Array) => this.#link.send(message, body);
    this.#watch = new Watch({
      limits: data,
      onUse: (limit, used) => send({ type: "use", limit, used }),
      onExceeded: (limit, session, pid) => this.#exceed(limit, session, pid),
    });
    send({ type: "ready" });
  }

  #hear(message: ToSupervisor, body: Uint8Array): void {
    switch (message.type) {
      case "ask":
        return this.#answer(message.id, message.question, body);
      case "start":
        return this.#start(message);
      case "network":
        return this.#openNetwork(message);
      case "resize":
        return this.#processes.get(message.process)?.resize(message);
      case "connect": {
        const channel = this.#link.accept(message.stream);
        joined(channel, connect({ host: "localhost", port: message.port, autoSelectFamily: true }));
        return;
      }
      default:
        this.#proxy?.answered(message, body);
    }
  }

  #openNetwork({ port, local, env }: OpenNetwork): void {
    this.#env = { ...this.#env, ...env };
    this.#proxy = new WebProxy({
      send: (message: FromSupervisor, body?: Uint8Array) => this.#link.send(message, body),
      channel: (id) => this.#link.accept(id),
      bodyBytes: this.#data.bodyBytes,
    });
    this.#proxy.listen(port);
    for (const origin of local) this.#proxy.standFor(origin);
  }

  #answer(id: number, question: Question, body: Uint8Array): void {
    try {
      const answer = this.#do(id, question, body);
      this.#link.send({ type: "answer", id, result: answer.result } satisfies FromSupervisor, answer.body);
    } catch (cause) {
      const failure = failureOf(cause);
      this.#link.send({ type: "answer", id, failure } satisfies FromSupervisor);
    }
  }

  #do(id: number, question: Question, body: Uint8Array): FileAnswer {
    const tell = (path: string, entry: object, content?: Uint8Array) =>
      this.#link.send({ type: "change", id, path, entry }, content);
    switch (question.kind) {
      case "put":
        this.#tree.put(question.path, question.entry, body);
        return {};
      case "settle":
        this.#tree.settle(question.as);
        return {};
      case "changes":
        return this.#named(this.#tree.changes(tell));
      case "above":
        this.#tree.above(tell);
        return {};
      case "kept":
        this.#tree.keep();
        return {};
      case "processes":
        return { result: listProcesses() };
      case "signal":
        this.#processes.get(question.process)?.signal(question.signal);
        return {};
      case "snapshot":
        return this.#named(this.#tree.snapshot(tell));
      case "unsaved":
        return { result: this.#tree.unsavedAt(question.path) };
      default:
        return answerAboutFiles(question, body, this.#data.bodyBytes);
    }
  }

  #named(unsaved: readonly UnsavedPath[]): FileAnswer {
    return { result: unsaved.slice(0, this.#data.unsavedPaths) };
  }

  #start(asked: StartProcess): void {
    const channels = { main: this.#link.accept(asked.process), errors: this.#link.accept(asked.errors) };
    let cwd: string;
    try {
      cwd = startDirectory(asked.cwd, this.#env.HOME ?? "/");
    } catch (cause) {
      for (const channel of [channels.main.resume(), channels.errors.resume()]) channel.end();
      const exit: ProcessExit = { exitCode: 126, signal: null, failure: failureOf(cause) };
      this.#link.send({ type: "exit", process: asked.process, ...exit } satisfies FromSupervisor);
      return;
    }
    const start = { ...asked, cwd, env: { ...this.#env, ...asked.env } };
    let over = false;
    const onExit = (exit: ProcessExit) => {
      over = true;
      this.#processes.delete(start.process);
      if (this.#processes.size === 0) this.#watch.stop();
      this.#link.send({ type: "exit", process: start.process, ...exit } satisfies FromSupervisor);
    };
    this.#watch.start();
    const running =
      start.terminal === undefined
        ? startProcess(start, channels, onExit)
        : startInTerminal(start, start.terminal, channels, onExit);
    if (!over) this.#processes.set(start.process, running);
  }

  #exceed(limit: WatchedLimit, session: number, pid: number): void {
    const known = [...this.#processes.values()].find((running) => running.pid === session);
    if (known !== undefined) known.exceed(limit);
    else process.kill(pid, "SIGKILL");
  }
}

function failureOf(cause: unknown): SystemFailure {
  return { code: codeOf(cause), message: cause instanceof Error ? cause.message : String(cause) };
}

/** The first pipe of anything would open stdout, and so the runtime's socket, a second time. */
function keepStdoutClosed(): void {
  Object.defineProperty(process, "stdout", { get: () => process.stderr });
}

giveWay();
closeInherited();
keepStdoutClosed();
new Supervisor(JSON.parse(process.argv[2] ?? readFileSync(0, "utf8")) as SupervisorData);
