/**
 * `setupTest`: a registry's actors in memory, for one test.
 *
 * The production core, gateway and client, without files and without a network: each test has its own store, dropped
 * whole when the test is over.
 */
import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { openMemoryStore } from "../ports/memory/open-memory-store.ts";
import type { Registry } from "../registry/registry.ts";
import { Runtime } from "../registry/runtime.ts";
import { nodeEnv } from "./env.ts";
import { ownInMemory } from "./sqlite/own/open-own-files.ts";

/** The part of a test's context that is used; vitest's fits, and any object with the same method. */
export interface TestScope {
  onTestFinished(fn: () => Promise<void>): unknown;
}

/** What a test works with. */
export interface TestSetup<R extends ClientRegistry> {
  readonly client: Client<R>;
  /** Puts an actor to sleep now, whatever its time-out; settles when it sleeps. */
  sleep(actorId: string): Promise<void>;
}

/**
 * Runs a registry's actors for one test; stopped and dropped when it is over.
 *
 * ```ts
 * test("counts", async (t) => {
 *   const { client } = await setupTest(t, registry);
 *   expect(await client.counter.getOrCreate(["a"]).increment(2)).toBe(2);
 * });
 * ```
 */
export async function setupTest<U extends Readonly<Record<string, AnyActorDefinition>>>(
  t: TestScope,
  registry: Registry<U>,
): Promise<TestSetup<Registry<U>>> {
  const env = nodeEnv({ logLevel: "warn" });
  const store = openMemoryStore({
    env,
    own: ownInMemory(env),
    onFatal: (cause) => {
      throw cause;
    },
  });
  const runtime = new Runtime({
    env,
    directory: store.directory,
    storage: store.storage,
    use: registry.config.use,
    access: registry.config,
    maxAwakeActors: registry.config.maxAwakeActors,
  });
  t.onTestFinished(async () => {
    await runtime.stop();
    await store.storage.close();
  });
  await runtime.start();
  return { client: runtime.client<Registry<U>>(), sleep: (actorId) => runtime.host.sleep(actorId) };
}
