/**
 * Platform: what a registry needs from where it runs. The Node adapter brings one; the edge brings another.
 */
import type { Env } from "@troupe/base";
import type { Gateway } from "../gateway/gateway.ts";
import type { BackupOptions, BackupSummary } from "../ports/backup.ts";
import type { CatalogueFile } from "../ports/catalogue-file.ts";
import type { Directory } from "../ports/directory.ts";
import type { Functions } from "../ports/functions.ts";
import type { LocalSockets } from "../ports/local-sockets.ts";
import type { PluginSet } from "../ports/plugin-set.ts";
import type { ActorStorage } from "../ports/storage.ts";
import type { Link } from "../ports/transport.ts";
import type { HostProcesses } from "./host-processes.ts";
import type { ProgramHostOptions } from "./program-host.ts";

/** What an acknowledged write survives: a power cut; a crash of the process (a power cut costs a second); nothing. */
export type Durability = "commit" | "interval" | "memory";

/** Where and how to serve. */
export interface StartOptions {
  /** Default: TROUPE_PORT, or 6420. 0 takes a free one. */
  readonly port?: number;
  /** Default: TROUPE_HOST, or 127.0.0.1. */
  readonly host?: string;
  /** Default: TROUPE_DATA, or `.troupe` in the working directory. */
  readonly dataDir?: string;
  /** Default: TROUPE_DURABILITY, or "commit". */
  readonly durability?: Durability;
  /** Stop on SIGTERM and SIGINT. Default: true. */
  readonly signals?: boolean;
  /** Print where it serves and how. Default: true. */
  readonly banner?: boolean;
  /** The actors' code runs in other processes of this program, which come by a socket: `startHost({ processOf })`. */
  readonly hostProcesses?: HostProcesses;
  /** In place of the plugins of `setup`, which they have among them: who starts the program knows of more. */
  readonly plugins?: PluginSet;
}

/** A store of one host: both ports over the same files. */
export interface OpenStore {
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly catalogue: CatalogueFile;
  /** Actors with a database that may be awake at once; undefined where nothing limits them. */
  readonly mostDatabases?: number | undefined;
  /** Copies the store while it is in use; absent where there is nothing to copy. */
  backup?(to: string, options?: BackupOptions): Promise<BackupSummary>;
  /** The `group.code` of what was found wrong with the files, for good or for now; undefined while all is well. */
  failure(): string | undefined;
  /** Settles everything and gives the files back. */
  close(): Promise<void>;
}

/** An open door. */
export interface Door {
  /** No new connections and requests; settles when those that are open have ended. */
  close(): Promise<void>;
  /** Ends what is still open. */
  end(): void;
}

/** The door of a server of our own. */
export interface Listening extends Door {
  /** `http://127.0.0.1:6420` */
  readonly endpoint: string;
  readonly port: number;
  readonly host: string;
}

/** Options with every default filled in. */
export type ResolvedStartOptions = Required<Omit<StartOptions, "hostProcesses" | "plugins">> &
  Pick<StartOptions, "hostProcesses" | "plugins">;

/** What a registry takes from where it runs. */
export interface Platform {
  env(): Env;
  resolve(options: StartOptions): ResolvedStartOptions;
  /** TROUPE_INSPECTOR_TOKEN, and the inspector's page, which is for development alone. */
  inspector?(): { readonly token: string | undefined; readonly page: () => string | undefined };
  /** `onFatal`: the store broke for good, nobody knows what the disk holds; the process should end. */
  openStore(options: {
    env: Env;
    dataDir: string;
    durability: Durability;
    onFatal: (cause: unknown) => void;
  }): Promise<OpenStore>;
  listen(options: { env: Env; gateway: Gateway; host: string; port: number }): Promise<Listening>;
  /** Takes host processes of this machine at a Unix socket. */
  listenForHosts(gateway: Gateway, path: string): Promise<Door>;
  /** The engine that the environment names, for a program that is to be its host: TROUPE_ENDPOINT and what belongs to it. */
  engine(): Pick<ProgramHostOptions, "endpoint" | "token" | "namespace" | "pool" | "programVersion">;
  /** Where processes of this machine may connect to actors. */
  readonly localSockets?: LocalSockets | undefined;
  /** Starts functions that are hosts. */
  readonly functions?: Functions;
  /** Opens a WebSocket. Rejects when `signal` fires before it is open. */
  dial(url: string, signal: AbortSignal): Promise<Link>;
  /** Gates the platform's own `fetch` inside actors; returns what undoes it. */
  gateFetch(departure: () => Promise<void> | undefined): () => void;
  /** The engine that had taken the program's host refuses it now: when the process ends, it has failed. */
  refused(): void;
  /** Calls `stop` on the first signal to end, exits at once on the second; returns what undoes it. */
  onSignal(stop: () => Promise<void>): () => void;
  /** True when memory is past its watermark. `now`: monotonic, ms. */
  memoryShort(now: number): boolean;
  /** An error of ours has the stack of who called `caller`: a program that doesn't catch it shows its own line, and none of ours. */
  pointAt?(cause: unknown, caller: (...args: never[]) => unknown): void;
  /** Ends the process: a sync failed. */
  fatal(cause: unknown): void;
  /** Prints a line for people. */
  print(line: string): void;
}
