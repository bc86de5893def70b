/**
 * `setup` on Node.
 */
import { TroupeError } from "@troupe/base";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type { RegistryConfig } from "../registry/config.ts";
import type { Platform } from "../registry/platform.ts";
import { openBackupDoor } from "./backup-door.ts";
import { nodeEnv } from "./env.ts";
import { gateFetch } from "./fetch-gate.ts";
import { nodeFunctions } from "./functions.ts";
import { dialEngine, listenForHosts } from "./host-socket.ts";
import { listen } from "./http-server.ts";
import { inspectorPage } from "./inspector-page.ts";
import { nodeLocalSockets } from "./local-sockets.ts";
import { levelAsked } from "./log.ts";
import { MemoryPressure } from "./memory-pressure.ts";
import { NodeRegistry } from "./node-registry.ts";
import { onSignal } from "./signals.ts";
import { type LocalStore, type LocalStoreOptions, openLocalStore } from "./sqlite/open-local-store.ts";
import { engineOf, resolveStartOptions } from "./start-options.ts";

/** The exit code of a process whose disk failed: EX_IOERR of sysexits.h. */
export const DISK_FAILED_EXIT = 74;

/** What a registry takes from Node. */
export function nodePlatform(): Platform {
  const memory = new MemoryPressure();
  return {
    // A level that isn't one is refused by `resolve`, and said in the default one.
    env: () => nodeEnv({ logLevel: levelAsked("info") }),
    resolve: (options) => resolveStartOptions(options, process.env),
    inspector: () => ({
      token: process.env["TROUPE_INSPECTOR_TOKEN"] || undefined,
      page: () => (process.env["NODE_ENV"] === "production" ? undefined : inspectorPage()),
    }),
    openStore: openStoreWithDoor,
    listen,
    listenForHosts,
    functions: nodeFunctions,
    localSockets: nodeLocalSockets,
    engine: () => engineOf(process.env),
    dial: dialEngine,
    gateFetch,
    onSignal,
    refused: () => {
      process.exitCode ??= 1;
    },
    pointAt: (cause, caller) => {
      if (TroupeError.is(cause)) Error.captureStackTrace(cause, caller);
    },
    memoryShort: (now) => memory.short(now),
    fatal: (cause) => {
      process.stderr.write(`troupe: the disk failed, nobody knows what it holds: ${String(cause)}\n`);
      process.exit(DISK_FAILED_EXIT);
    },
    print: (line) => {
      process.stdout.write(`${line}\n`);
    },
  };
}

/** A store, and the door by which `troupe backup` asks for a copy of it. */
async function openStoreWithDoor(options: LocalStoreOptions): Promise<LocalStore> {
  const store = await openLocalStore(options);
  if (store.backup === undefined) return store;
  const { env, dataDir } = options;
  const door = await openBackupDoor({ env, dataDir, backup: store.backup });
  return {
    ...store,
    close: () => {
      door.close();
      return store.close();
    },
  };
}

/**
 * Names for actors, and the ways to run them.
 *
 * ```ts
 * const registry = setup({ use: { counter } });
 * await registry.start();
 * ```
 */
export function setup<const U extends Readonly<Record<string, AnyActorDefinition>>>(
  config: RegistryConfig<U>,
): NodeRegistry<U> {
  return new NodeRegistry(config, nodePlatform());
}
