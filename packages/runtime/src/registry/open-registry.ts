/**
 * What a running registry holds: plugins, a store, the runtime over it, and the doors to it. It is taken in this order and
 * given back in the other; what fails on the way gives back what was taken before.
 */
import type { Env } from "@troupe/base";
import { isShadowed } from "@troupe/client";
import { Catalogue } from "../engine/catalogue.ts";
import { LoopLag } from "../gateway/loop-lag.ts";
import { inspectorSettings } from "../inspector/config.ts";
import type { PluginNaming } from "../ports/plugin-set.ts";
import { checkRemoteActors } from "../remote/host-tokens.ts";
import { relayOf } from "../traced/tracing.ts";
import { closeDoor } from "./close-door.ts";
import type { Definitions, RegistryConfig } from "./config.ts";
import { usedElsewhere, withProcesses } from "./host-processes.ts";
import type { Door, Listening, OpenStore, Platform, ResolvedStartOptions } from "./platform.ts";
import { prepare } from "./prepare.ts";
import { settingsWithoutEffect } from "./rivetkit-settings.ts";
import { Runtime } from "./runtime.ts";
import { checkPlace } from "./runtime-choice.ts";

/** What a running registry holds. */
export interface Open {
  readonly store: OpenStore;
  readonly runtime: Runtime;
  readonly ungateFetch: () => void;
  /** Looked at while it runs. */
  readonly loopLag: LoopLag;
  /** Ends what definitions have made ready. */
  readonly unprepare: () => Promise<void>;
  /** What the store was opened with, and the plugins that run. */
  readonly options: ResolvedStartOptions;
  /** Those by which clients and hosts come, our server's among them. */
  readonly doors: Door[];
  /** Our server. */
  listening?: Listening;
  unwatch?: () => void;
}

/** Opens the store and starts the runtime. Throws `config.*`, `plugin.*`, `sqlite.*`, `storage.*`. */
export async function openRegistry<U extends Definitions>(
  platform: Platform,
  config: RegistryConfig<U>,
  options: ResolvedStartOptions,
): Promise<Open> {
  checkPlace(config, "local");
  checkRemoteActors(config);
  const env = platform.env();
  const named = namedBy(config.use);
  const plugins = options.plugins ?? config.plugins ?? named[0]?.newSet();
  await plugins?.start(env, relayOf(config.relay), named);
  try {
    return await withStore({ platform, config, env }, { ...options, ...(plugins && { plugins }) });
  } catch (cause) {
    await plugins?.stop();
    throw cause;
  }
}

/** Gives everything back. The doors stay open while actors are saved: /readyz says no, and whoever calls is told to try elsewhere. */
export async function closeRegistry(open: Open): Promise<void> {
  open.unwatch?.();
  open.loopLag.close();
  try {
    await open.runtime.stop();
    for (const door of open.doors.toReversed()) await closeDoor(door, open.runtime.env);
  } finally {
    open.ungateFetch();
    try {
      await open.unprepare();
      await open.store.close();
    } finally {
      await open.options.plugins?.stop();
    }
  }
}

interface Opening<U extends Definitions> {
  readonly platform: Platform;
  readonly config: RegistryConfig<U>;
  readonly env: Env;
}

async function withStore<U extends Definitions>(
  opening: Opening<U>,
  options: ResolvedStartOptions,
): Promise<Open> {
  const { platform, env } = opening;
  const store = await platform.openStore({
    env,
    dataDir: options.dataDir,
    durability: options.durability,
    onFatal: (cause) => platform.fatal(cause),
  });
  try {
    return await run(opening, store, options);
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

async function run<U extends Definitions>(
  { platform, config, env }: Opening<U>,
  store: OpenStore,
  options: ResolvedStartOptions,
): Promise<Open> {
  const processes = options.hostProcesses;
  const use = processes === undefined ? config.use : usedElsewhere(config.use);
  const { plugins } = options;
  const loopLag = new LoopLag(env);
  const runtime = new Runtime({
    env,
    directory: store.directory,
    storage: store.storage,
    use,
    access: config,
    maxAwakeActors: config.maxAwakeActors,
    maxDatabases: store.mostDatabases,
    rateLimit: config.rateLimit,
    memoryShort: () => platform.memoryShort(env.clock.monotonic()),
    app: config.fetch,
    plugins,
    loopLag: loopLag.times,
    failure: () => store.failure() ?? plugins?.failure(),
    hosts: processes === undefined ? config.hosts : withProcesses(config.hosts, processes),
    catalogue: catalogueOf(env, store, config.namespaces),
    functions: platform.functions,
    localSockets: platform.localSockets,
    relay: config.relay ?? plugins?.relay,
    inspector: inspectorSettings(config.inspector, platform.inspector?.()),
  });
  const ungateFetch = platform.gateFetch(runtime.departure);
  warnOfNoEffect(env, config);
  const unprepare = prepare(use);
  try {
    await runtime.start();
  } catch (cause) {
    ungateFetch();
    loopLag.close();
    await runtime.stop();
    await unprepare();
    throw cause;
  }
  return { store, runtime, ungateFetch, loopLag, unprepare, options, doors: [] };
}

function catalogueOf(env: Env, store: OpenStore, namespaces: readonly string[] | undefined): Catalogue {
  const catalogue = new Catalogue(env, store.catalogue);
  for (const name of namespaces ?? []) {
    const now = catalogue.nameOf(catalogue.ensure(name)) ?? name;
    if (now !== name) env.log.warn("a namespace of setup() has another name now", { name, now });
  }
  return catalogue;
}

function warnOfNoEffect<U extends Definitions>(env: Env, config: RegistryConfig<U>): void {
  const unheeded = settingsWithoutEffect(config);
  if (unheeded.length > 0) env.log.warn("keys of setup() that have no effect", { keys: unheeded });
  for (const [name, { descriptor }] of Object.entries(config.use)) {
    if (descriptor.ignoredOptions.length > 0) {
      env.log.warn("options that have no effect", { actor: name, options: descriptor.ignoredOptions });
    }
    const shadowed = descriptor.actions.filter(isShadowed);
    if (shadowed.length > 0) {
      const why =
        "handles and connections have members of these names: call the actions with action({ name })";
      env.log.warn(why, { actor: name, actions: shadowed });
    }
  }
}

/** The plugins that definitions name. */
function namedBy(use: Definitions): readonly PluginNaming[] {
  return Object.values(use).flatMap(
    ({ behaviour }) => (behaviour.kind === "carried" && behaviour.names) || [],
  );
}
