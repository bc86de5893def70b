/**
 * Container: one bubblewrap with its supervisor, from its start to its end.
 *
 * The runtime is the parent: when it dies, however it does, the kernel ends bubblewrap, and with it every process of its namespace; what
 * was only in the sandbox's memory is gone. A supervisor that ends, or says what it can't, is lost: all that waits for it fails
 * with `sandbox.lost`, and the container is ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { startedChild } from "@troupe/runtime/process";
import { sandboxErrors, textOf } from "../../errors.ts";
import type { SandboxNetwork } from "../network.ts";
import { checkEntry, checkMessage } from "./from-supervisor.ts";
import type { Channel } from "./inside/channel.ts";
import { Link } from "./inside/link.ts";
import type {
  FromSupervisor,
  OpenNetwork,
  Question,
  StartProcess,
  TerminalSize,
  ToSupervisor,
  WatchedLimit,
} from "./inside/messages.ts";
import { Outside } from "./outside.ts";
import { type Answer, Questions } from "./questions.ts";

/** How a container is started. */
export interface ContainerParts {
  readonly bubblewrap: string;
  readonly args: readonly string[];
  /** The program of system calls; its descriptor is {@link FILTER_FD}. */
  readonly filter: Uint8Array;
  /** The host's user that all of it runs as; undefined: the runtime's own. */
  readonly uid: number | undefined;
}

/** Whose container it is. */
export interface ContainerOwner {
  readonly network:
    | (Pick<OpenNetwork, "port" | "local" | "env"> & { readonly way: SandboxNetwork })
    | undefined;
  readonly onUse: (limit: WatchedLimit, used: number) => void;
}

/** How a program ended. */
export type ProcessExit = Extract<FromSupervisor, { readonly type: "exit" }>;

/** A program that was started. */
export interface StartedProcess {
  /** Its stdout, and its stdin if it has one. */
  readonly main: Channel;
  readonly errors: Channel;
  readonly id: number;
  /** Rejects when the container is lost. */
  readonly exit: Promise<ProcessExit>;
}

/** Where bubblewrap reads the filter. */
export const FILTER_FD = 3;
/** What is kept of what bubblewrap and the supervisor say when they fail. Bytes. */
const STDERR_BYTES = 4_096;

/** A running container. */
export class Container {
  /** Settles, never rejects, with why it ended. */
  readonly ended: Promise<TroupeError>;
  readonly #end: (why: TroupeError) => void;
  #owner: ContainerOwner | undefined;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  /** Settles when all that it said is read; its end may be heard of before. */
  readonly #heard: Promise<void>;
  readonly #link: Link;
  #outside: Outside;
  readonly #ready = Promise.withResolvers<void>();
  readonly #questions: Questions;
  readonly #exits = new Map<number, PromiseWithResolvers<ProcessExit>>();
  #started = false;
  #why: TroupeError | undefined;
  #stderr = "";

  /** Throws `storage.too_many_open_files`. */
  constructor(parts: ContainerParts) {
    const { promise, resolve } = Promise.withResolvers<TroupeError>();
    this.ended = promise;
    this.#end = resolve;
    const { bubblewrap, args, filter, uid } = parts;
    this.#child = startedChild(
      spawn(bubblewrap, args, {
        stdio: ["ignore", "pipe", "pipe", "pipe"],
        env: {},
        cwd: "/",
        ...(uid === undefined ? {} : { uid, gid: uid }),
      }),
    );
    const { promise: gone, resolve: left } = Promise.withResolvers<void>();
    this.#gone = gone;
    this.#child.on("error", (cause) => {
      this.#lose(sandboxErrors.unsupported(`bubblewrap can't be started: ${cause.message}`));
      if (this.#child.pid === undefined) left();
    });
    this.#child.on("exit", () => left());
    const [, socket, stderr, filterInto] = this.#child.stdio;
    const { promise: heard, resolve: silent } = Promise.withResolvers<void>();
    this.#heard = heard;
    stderr?.on("close", silent);
    stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-STDERR_BYTES);
    });
    // Both directions of one socket, which Node has for what it calls a child's output.
    this.#link = this.#linkOver(socket as Duplex);
    if (filterInto !== undefined && filterInto !== null && "end" in filterInto) {
      filterInto.on("error", () => undefined);
      filterInto.end(filter);
    }
    this.#outside = new Outside(undefined, this.#link);
    this.#questions = new Questions({
      send: (id, question, body) => this.#send({ type: "ask", id, question }, body),
      onSilence: (why) => this.#lose(why),
    });
    void this.#ready.promise.catch(() => undefined);
  }

  /** True when it has ended, or will: nothing can be asked of it. */
  get lost(): boolean {
    const { exitCode, signalCode } = this.#child;
    return this.#why !== undefined || exitCode !== null || signalCode !== null;
  }

  /** Makes it somebody's: it may have been started before anybody was there. Once, and before anything is asked of it. */
  give(owner: ContainerOwner): void {
    const { network } = owner;
    this.#owner = owner;
    if (network === undefined) return;
    this.#outside = new Outside(network.way, this.#link);
    const { port, local, env } = network;
    this.#send({ type: "network", port, local, env });
  }

  /** Settles when the supervisor is there. Rejects with `sandbox.unsupported` when it can't be. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Rejects with `sandbox.file_failed`, `sandbox.deadline_exceeded`, `sandbox.lost`. */
  ask(question: Question, body?: Uint8Array): Promise<Answer> {
    if (this.#why !== undefined) return Promise.reject(this.#why);
    return this.#questions.ask(question, body);
  }

  /** Its actor stops: from now on nobody waits for it as long as before. */
  hurry(): void {
    this.#questions.hurry();
  }

  start(start: Omit<StartProcess, "type" | "process" | "errors">): StartedProcess {
    if (this.#why !== undefined) throw this.#why;
    const [main, errors] = [this.#link.open(), this.#link.open()];
    const exit = Promise.withResolvers<ProcessExit>();
    exit.promise.catch(() => undefined);
    this.#exits.set(main.id, exit);
    this.#send({ ...start, type: "start", process: main.id, errors: errors.id });
    errors.end();
    if (!start.stdin) main.end();
    return { main, errors, id: main.id, exit: exit.promise };
  }

  /** A question: who ends a program hears that its supervisor doesn't answer. */
  signal(process: number, signal: string): void {
    void this.ask({ kind: "signal", process, signal }).catch(() => undefined);
  }

  resize(process: number, { cols, rows }: TerminalSize): void {
    this.#send({ type: "resize", process, cols, rows });
  }

  /** A connection to a port of the sandbox; it closes when there is nobody. */
  connect(port: number): Duplex {
    const channel = this.#link.open();
    this.#send({ type: "connect", stream: channel.id, port });
    return channel;
  }

  /** Ends it; settles when nothing of it runs. */
  async stop(why: TroupeError): Promise<void> {
    this.#lose(why);
    await this.#gone;
  }

  #linkOver(socket: Duplex): Link {
    return new Link({
      socket,
      limits: { messageBytes: limits.sandboxMessageBytes, bodyBytes: limits.sandboxFileBytes },
      firstChannel: 1,
      onMessage: (message, body) => this.#hear(checkMessage(message), body),
      onLost: (cause) => void this.#lost(cause),
    });
  }

  #send(message: ToSupervisor, body?: Uint8Array): void {
    this.#link.send(message, body);
  }

  #hear(message: FromSupervisor, body: Uint8Array): void {
    switch (message.type) {
      case "ready":
        this.#started = true;
        return this.#ready.resolve();
      case "change":
        return this.#questions.changed(
          message.id,
          [message.path, checkEntry(message.entry, body)],
          body.byteLength,
        );
      case "answer":
        return this.#questions.answered(message, body);
      case "exit":
        this.#exits.get(message.process)?.resolve(message);
        this.#exits.delete(message.process);
        return;
      case "use":
        return this.#owner?.onUse(message.limit, message.used);
      default:
        this.#outside.asked(message, body);
    }
  }

  /** The supervisor has gone, or bubblewrap never got so far. */
  async #lost(cause: unknown): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
    if (this.#child.pid !== undefined) await this.#heard;
    const said = this.#stderr.trim() || textOf(cause);
    this.#lose(this.#started ? sandboxErrors.lost(said) : sandboxErrors.unsupported(said));
  }

  #lose(why: TroupeError): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#child.kill("SIGKILL");
    this.#outside.close();
    this.#link.lose(why);
    this.#ready.reject(why);
    this.#questions.fail(why);
    for (const { reject } of this.#exits.values()) reject(why);
    this.#exits.clear();
    this.#end(why);
  }
}
