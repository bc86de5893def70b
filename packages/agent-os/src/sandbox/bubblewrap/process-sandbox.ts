/**
 * ProcessSandbox: a sandbox of real processes, in a container of bubblewrap (`container.ts`).
 *
 * Its files are in the container's memory, where processes see them as any files. What outlives the container is in the store: files are
 * saved when a file operation, a command or a process ends, and every two seconds while any runs. One save runs at a time; who
 * asks for one meanwhile shares the next.
 *
 *   A caller was told             the files that it saw are stored.
 *   The runtime or machine died   the next sandbox begins with what was saved last: of a command or process that ran, its first part.
 *   A command was cut off         what it had changed stays, and is saved: processes can't be undone.
 *   A file can't be stored        everything else is; it stays inside, and who hears of an end is told its path (`../unsaved.ts`).
 *   A save failed                 the operation fails with the store's error; the files stay inside, and the next save tries again.
 *   The container was lost        what ran fails with `sandbox.lost`; the next operation begins a new one with what was saved.
 *
 * Commands and processes run beside each other, as on any machine.
 */
import type { Duplex } from "node:stream";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { processErrors, sandboxErrors } from "../../errors.ts";
import { startDeadline } from "../deadline.ts";
import { isDevice } from "../devices.ts";
import type { FileStore, ImageChanges } from "../file-store.ts";
import type { ProcessCommand, ProcessListener, SandboxProcess, SandboxProcessInfo } from "../process.ts";
import type { BootOptions, DirectoryEntry, ExecOptions, ExecResult, FileStat, Sandbox } from "../sandbox.ts";
import { notSaved, unsavedCodeOf } from "../unsaved.ts";
import { checkEntries, checkProcesses, checkStat, checkUnsaved } from "./answers.ts";
import { CapturedText } from "./captured-text.ts";
import type { Container } from "./container.ts";
import { HostProcess } from "./host-process.ts";
import type { Question } from "./inside/messages.ts";
import { Saves } from "./saves.ts";

/** What a sandbox is made of. */
export interface ProcessSandboxParts {
  /** A container with nothing in it, ready. Rejects with `sandbox.unsupported`. */
  readonly open: (signal: AbortSignal) => Promise<Container>;
  readonly files: FileStore | undefined;
  readonly onUse: BootOptions["onUse"];
  readonly onState: BootOptions["onState"];
  readonly onUnsaved: BootOptions["onUnsaved"];
  /** What an empty sandbox has beside the system's: the lower layers of overlays. */
  readonly lower: () => Promise<ImageChanges>;
  /** A command line is read by it. */
  readonly shell: string;
}

/** Entries of an image that are put there at once. */
const PUTS = 64;

interface Inside {
  readonly container: Container;
  readonly saves: Saves;
}

/** A sandbox of processes. */
export class ProcessSandbox implements Sandbox {
  readonly #parts: ProcessSandboxParts;
  readonly #closing = new AbortController();
  readonly #processes = new Set<HostProcess>();
  #inside: Promise<Inside> | undefined;
  #isLost = false;
  #saving: NodeJS.Timeout | undefined;
  #left: Promise<void> | undefined;

  constructor(parts: ProcessSandboxParts) {
    this.#parts = parts;
  }

  /** Rejects when sandboxes can't run here; then it is shut down. */
  async open(signal: AbortSignal): Promise<void> {
    const givenUp = () => this.#closing.abort(signal.reason);
    signal.addEventListener("abort", givenUp, { once: true });
    try {
      signal.throwIfAborted();
      await this.#container();
    } catch (cause) {
      await this.shutdown();
      throw cause;
    } finally {
      signal.removeEventListener("abort", givenUp);
    }
  }

  async exec(command: string, options: ExecOptions = {}, signal?: AbortSignal): Promise<ExecResult> {
    const { timeoutMs = limits.sandboxExecMs, cwd, env, stdin } = options;
    if (!(timeoutMs > 0 && timeoutMs <= limits.sandboxExecMaxMs))
      throw sandboxErrors.invalidTimeout(limits.sandboxExecMaxMs);
    signal?.throwIfAborted();
    const printed = {
      stdout: new CapturedText(limits.sandboxOutputBytes),
      stderr: new CapturedText(limits.sandboxOutputBytes),
    };
    const line = {
      command: this.#parts.shell,
      args: ["-c", command],
      cwd,
      env,
      streamStdin: stdin !== undefined,
    };
    const process = await this.#start(line, (stream, data) => printed[stream].add(data));
    if (stdin !== undefined) process.feed(Buffer.from(stdin));
    let why: TroupeError | undefined;
    const cutOff = (cause: TroupeError) => {
      why ??= cause;
      process.kill("SIGKILL");
    };
    const stopClock = startDeadline(timeoutMs, {
      near: (used) => this.#parts.onUse?.({ limit: "execMs", used, most: timeoutMs }),
      over: () => cutOff(sandboxErrors.deadlineExceeded(timeoutMs)),
    });
    const cancelled = () => cutOff(sandboxErrors.cancelled());
    signal?.addEventListener("abort", cancelled, { once: true });
    if (signal?.aborted === true) cancelled();
    const { exitCode, error, unsaved } = await process.ended;
    stopClock();
    signal?.removeEventListener("abort", cancelled);
    const failure = why ?? error;
    if (failure !== undefined) throw failure;
    const { stdout, stderr } = printed;
    const result = {
      exitCode,
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: stdout.cut || stderr.cut,
    };
    return unsaved === undefined ? result : { ...result, unsaved };
  }

  async spawn(command: ProcessCommand, listener: ProcessListener): Promise<SandboxProcess> {
    return await this.#start(command, listener);
  }

  async processes(): Promise<SandboxProcessInfo[]> {
    return checkProcesses((await this.#ask({ kind: "processes" })).result);
  }

  async readFile(path: string): Promise<Uint8Array> {
    return (await this.#ask({ kind: "readFile", path })).body;
  }

  async writeFile(path: string, content: Uint8Array): Promise<void> {
    if (content.byteLength > limits.sandboxFileBytes)
      throw sandboxErrors.fileFailed("EFBIG", `EFBIG: '${path}' would be too long`);
    await this.#change(path, { kind: "writeFile", path }, content);
  }

  async stat(path: string): Promise<FileStat> {
    return checkStat((await this.#ask({ kind: "stat", path })).result);
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#ask({ kind: "exists", path })).result === true;
  }

  async readdir(path: string): Promise<DirectoryEntry[]> {
    return checkEntries((await this.#ask({ kind: "readdir", path })).result);
  }

  async mkdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    await this.#change(path, { kind: "mkdir", path, recursive: options.recursive ?? false });
  }

  async move(from: string, to: string): Promise<void> {
    await this.#change(to, { kind: "move", path: from, to });
  }

  async remove(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    await this.#change("/", { kind: "remove", path, recursive: options.recursive ?? false });
  }

  async snapshot(): Promise<ImageChanges> {
    const { changes, result } = await this.#ask({ kind: "snapshot" });
    const [first] = checkUnsaved(result);
    if (first !== undefined) throw notSaved(first);
    return changes;
  }

  /** A new container has the files; what ran in the old one ends with it. */
  async restore(image: ImageChanges): Promise<void> {
    const { container: old, saves } = await this.#container();
    await saves.exclusively(async () => {
      const container = await this.#begin(image);
      try {
        await this.#replaceStored(image);
        this.#closing.signal.throwIfAborted();
      } catch (cause) {
        await container.stop(sandboxErrors.closed());
        throw cause;
      }
      void this.#use(Promise.resolve(this.#around(container)));
      await old.stop(sandboxErrors.replaced());
    });
  }

  async whileSaved<R>(work: (above: ImageChanges) => Promise<R>): Promise<R> {
    const { saves } = await this.#container();
    return await saves.behind(work);
  }

  async connect(port: number): Promise<Duplex> {
    return (await this.#container()).container.connect(port);
  }

  hurry(): void {
    void this.#inside?.then(({ container }) => container.hurry()).catch(() => undefined);
  }

  shutdown(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    const up = await this.#inside?.catch(() => undefined);
    this.#closing.abort(sandboxErrors.closed());
    clearInterval(this.#saving);
    if (up === undefined) return;
    up.container.hurry();
    for (const process of this.#processes) process.kill("SIGKILL", sandboxErrors.closed());
    await Promise.all([...this.#processes].map(({ ended }) => ended));
    try {
      await up.saves.save();
    } finally {
      await up.container.stop(sandboxErrors.closed());
    }
  }

  /** Nothing is asked of what is replaced: what couldn't be saved of it goes, too. */
  async #replaceStored(image: ImageChanges): Promise<void> {
    const { files } = this.#parts;
    if (files === undefined) return;
    const kept = new Set(image.map(([path]) => path));
    const gone = (await files.load()).filter(([path]) => !kept.has(path));
    // What was removed of an empty sandbox is there again.
    const removed = gone.map(([path]) => [path, { type: "removed", given: false }] as const);
    await files.save([...removed, ...image]);
  }

  async #ask(question: Question, body?: Uint8Array) {
    return await (await this.#container()).container.ask(question, body);
  }

  /** It has happened when it is saved. Rejects when what is at `path` then can't be. */
  async #change(path: string, question: Question, body?: Uint8Array): Promise<void> {
    const { container, saves } = await this.#container();
    await container.ask(question, body);
    if ((await saves.save()).length === 0) return;
    const code = unsavedCodeOf((await container.ask({ kind: "unsaved", path })).result);
    if (code !== undefined) throw notSaved({ path, code });
  }

  async #start(command: ProcessCommand, listener: ProcessListener): Promise<HostProcess> {
    const { container, saves } = await this.#container();
    const { command: program, args, cwd, env = {}, streamStdin = false, terminal } = command;
    const started = container.start({ command: program, args, cwd, env, stdin: streamStdin, terminal });
    const process = new HostProcess({
      container,
      started,
      listener,
      saves,
      errors: terminal === undefined ? "stderr" : "stdout",
    });
    this.#processes.add(process);
    this.#saving ??= setInterval(() => void saves.save().catch(() => undefined), limits.sandboxSaveMs);
    void process.ended.then(() => {
      this.#processes.delete(process);
      if (this.#processes.size > 0) return;
      clearInterval(this.#saving);
      this.#saving = undefined;
    });
    // Closed while it was being started.
    if (this.#closing.signal.aborted) process.kill("SIGKILL", sandboxErrors.closed());
    return process;
  }

  #container(): Promise<Inside> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    return this.#inside ?? this.#use(this.#stored());
  }

  /** What is asked for from now on is asked of this one, until it is lost. */
  #use(inside: Promise<Inside>): Promise<Inside> {
    this.#inside = inside;
    void this.#forget(inside);
    return inside;
  }

  async #forget(inside: Promise<Inside>): Promise<void> {
    const ended = await inside.then(({ container }) => container.ended).catch(() => undefined);
    if (this.#inside !== inside) return;
    this.#inside = undefined;
    if (ended === undefined || this.#closing.signal.aborted) return;
    this.#isLost = true;
    this.#parts.onState?.("lost");
  }

  async #stored(): Promise<Inside> {
    const inside = this.#around(await this.#begin((await this.#parts.files?.load()) ?? []));
    if (this.#isLost) this.#parts.onState?.("up");
    this.#isLost = false;
    return inside;
  }

  #around(container: Container): Inside {
    const { files, onUnsaved } = this.#parts;
    return { container, saves: new Saves({ container, files, onUnsaved }) };
  }

  async #begin(image: ImageChanges): Promise<Container> {
    const lower = await this.#parts.lower();
    const container = await this.#parts.open(this.#closing.signal);
    try {
      if (lower.length > 0) await put(container, lower, "given");
      await put(container, image, "kept");
      return container;
    } catch (cause) {
      await container.stop(sandboxErrors.closed());
      throw TroupeError.is(cause) ? cause : processErrors.lost(cause);
    }
  }
}

async function put(container: Container, image: ImageChanges, as: "given" | "kept"): Promise<void> {
  // What is removed is removed of what is there, and not of what a link leads to that takes the place of a directory.
  const ordered = image
    .filter(([path]) => !isDevice(path))
    .sort(([, a], [, b]) => Number(b.type === "removed") - Number(a.type === "removed"));
  for (let from = 0; from < ordered.length; from += PUTS)
    await Promise.all(
      ordered.slice(from, from + PUTS).map(([path, entry]) => {
        if (entry.type !== "file") return container.ask({ kind: "put", path, entry });
        const { content, ...head } = entry;
        return container.ask({ kind: "put", path, entry: head }, content);
      }),
    );
  await container.ask({ kind: "settle", as });
}
