/** Dynamic actors in a whole runtime: real files, real HTTP, a real isolate process. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@troupe/client";
import type { Relay } from "@troupe/relay";
import { type AnyActorDefinition, type Registry, setup } from "@troupe/runtime";
import { type DynamicActorOptions, dynamicActor, type IsolateLimits } from "../../src/index.ts";

type Use = Readonly<Record<string, AnyActorDefinition>>;

/** A module with one actor. */
export function moduleOf(config: string): string {
  return `import { actor, event, queue, UserError } from "troupe";\nexport default actor({ ${config} });`;
}

/** A definition of such a module. */
export function dynamic(config: string, limits: IsolateLimits = {}): AnyActorDefinition {
  return dynamicActor({ source: moduleOf(config), limits });
}

export class DynamicWorld implements AsyncDisposable {
  readonly #use: Use;
  readonly #folder: string;
  #registry: Registry<Use>;
  #client: Client;
  endpoint: string;

  private constructor(use: Use, folder: string, started: Awaited<ReturnType<typeof start>>) {
    this.#use = use;
    this.#folder = folder;
    this.#registry = started.registry;
    this.#client = started.client;
    this.endpoint = started.endpoint;
  }

  static async start(use: Use, relay?: Relay): Promise<DynamicWorld> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-dynamic-"));
    return new DynamicWorld(use, folder, await start(use, folder, relay));
  }

  static one(options: DynamicActorOptions): Promise<DynamicWorld> {
    return DynamicWorld.start({ it: dynamicActor(options) });
  }

  handle(name: string, key = "a") {
    return this.#client.getOrCreate(name, [key]);
  }

  /** The handle of an actor that must be there. */
  found(name: string, key = "a") {
    return this.#client.get(name, [key]);
  }

  act(name: string, action: string, ...args: unknown[]): Promise<unknown> {
    return this.handle(name).action({ name: action, args });
  }

  /** Reloads it, as the program may. */
  async reload(name: string, key = "a"): Promise<void> {
    await (await this.#registry.client()).getOrCreate(name, [key]).reload();
  }

  async stop(): Promise<void> {
    await this.#client.dispose();
    await this.#registry.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    const started = await start(this.#use, this.#folder);
    this.#registry = started.registry;
    this.#client = started.client;
    this.endpoint = started.endpoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true });
  }
}

async function start(use: Use, dataDir: string, relay?: Relay) {
  const registry = setup({ use, ...(relay === undefined ? {} : { relay }) });
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  return { registry, endpoint, client: createClient(endpoint) };
}

/** Processes that this one has started and that run. Linux alone says so. */
export function children(pid: number = process.pid): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** The one process that isolates run in; their databases have others, and so have the files that share this process. */
export function isolateProcess(parent?: number): number {
  const [pid, ...others] = children(parent).filter((child) =>
    commandOf(child).includes("carriers/isolate/process/"),
  );
  if (pid === undefined || others.length > 0)
    throw new Error(`one process of isolates, not ${children(parent).map(commandOf).join("; ")}`);
  return pid;
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

/** What a call fails with. */
export interface Failure {
  /** `group.code`. */
  readonly is: string;
  readonly message: string;
  readonly metadata?: unknown;
  readonly retryable?: unknown;
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    if (typeof error === "object" && error !== null && "group" in error && "code" in error)
      return { ...error, is: `${String(error.group)}.${String(error.code)}`, message: String(error) };
    throw error;
  }
  throw new Error("it should have been rejected");
}
