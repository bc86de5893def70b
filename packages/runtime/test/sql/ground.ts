/** A runtime over real files, which can be closed, opened again, and left as a killed process leaves them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@troupe/client";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { nodeEnv } from "../../src/node/env.ts";
import {
  type LocalStore,
  type LocalStoreOptions,
  openLocalStore,
} from "../../src/node/sqlite/open-local-store.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { Runtime } from "../../src/registry/runtime.ts";
import { carried } from "../driver/carried.ts";

type Use = Readonly<Record<string, AnyActorDefinition>>;

type GroundOptions = Pick<LocalStoreOptions, "sqlHelpers">;

function carriedIfAsked(use: Use): Use {
  return process.env["TROUPE_TEST_CARRIED"] === "1" ? carried(use) : use;
}

/** One process after the other on one data directory. */
export class Ground<U extends Use> {
  readonly #root = mkdtempSync(join(tmpdir(), "troupe-sql-"));
  #copies = 0;
  path = join(this.#root, "data");
  /** Lines of the log so far. */
  readonly said: string[] = [];
  #use: Use;
  readonly #options: GroundOptions;
  #store: LocalStore | undefined;
  #runtime: Runtime | undefined;

  private constructor(use: U, options: GroundOptions) {
    this.#use = carriedIfAsked(use);
    this.#options = options;
  }

  static async start<U extends Use>(use: U, options: GroundOptions = {}): Promise<Ground<U>> {
    const ground = new Ground(use, options);
    await ground.#open();
    return ground;
  }

  get runtime(): Runtime {
    if (this.#runtime === undefined) throw new Error("it is closed");
    return this.#runtime;
  }

  get store(): LocalStore {
    if (this.#store === undefined) throw new Error("it is closed");
    return this.#store;
  }

  get client(): Client<Registry<U>> {
    return this.runtime.client<Registry<U>>();
  }

  /** Names of the actors' own files. */
  get files(): string[] {
    return readdirSync(join(this.path, "actors")).filter((name) => !/^(?:template|spare)/.test(name));
  }

  /** Ends cleanly, and starts again; with other definitions when they are given. */
  async restart(use: Use = this.#use): Promise<void> {
    await this.#close();
    this.#use = carriedIfAsked(use);
    await this.#open();
  }

  /** Ends cleanly, and starts again behind `work`. */
  async restartAfter(work: () => void): Promise<void> {
    await this.#close();
    work();
    await this.#open();
  }

  /** Goes on with what a process that is killed now would leave, and what `work` makes of it. */
  async kill(work: () => void = () => {}): Promise<void> {
    this.#copies += 1;
    const copy = join(this.#root, `copy-${this.#copies}`);
    // Another process: a descriptor of a database that this one closed would take SQLite's locks with it.
    execFileSync("cp", ["-r", this.path, copy]);
    await this.#close();
    this.path = copy;
    work();
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { said } = this;
    const heard = (message: string): number => said.push(message);
    const log = { debug: heard, info: heard, warn: heard, error: heard, child: () => log };
    const env = { ...nodeEnv({ logLevel: "silent" }), log };
    const onFatal = (cause: unknown) => {
      throw cause;
    };
    this.#store = await openLocalStore({ env, dataDir: this.path, onFatal, ...this.#options });
    const { directory, storage } = this.#store;
    this.#runtime = new Runtime({ env, directory, storage, use: this.#use, access: {} });
    await this.#runtime.start();
  }

  async #close(): Promise<void> {
    await this.#runtime?.stop();
    await this.#store?.close();
    this.#runtime = undefined;
    this.#store = undefined;
  }
}
