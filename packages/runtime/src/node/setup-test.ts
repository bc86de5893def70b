/**
 * `setupTest`: a registry's actors in memory, for one test.
 *
 * The production core and client, without files and without a network, on a clock that stands still until the test moves
 * it. Each test has its own store, dropped whole when the test is over; what its actors have left open is named then.
 */
import type { Env } from "@troupe/base";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { openMemoryStore } from "../ports/memory/open-memory-store.ts";
import type { Registry } from "../registry/registry.ts";
import { Runtime } from "../registry/runtime.ts";
import { CrashingStorage } from "../testing/crashing-storage.ts";
import { testErrors } from "../testing/errors.ts";
import { Levers } from "../testing/levers.ts";
import type { TestClock, TestScope, TestSetup } from "../testing/test-setup.ts";
import { VirtualTime } from "../testing/virtual-time.ts";
import { nodeEnv } from "./env.ts";
import { LeakWatch } from "./leak-watch.ts";
import { levelAsked } from "./log.ts";
import { ownInMemory } from "./sqlite/own/open-own-files.ts";

/** What a Date reaches (ECMA-262, 21.4.1.1). */
const LAST_MOMENT_MS = 8_640_000_000_000_000;

/** What `setupTest` takes beside the registry. */
export interface SetupTestOptions {
  /** `"real"` for actors whose code has a clock of its own: a plugin, a host elsewhere. Default: "virtual". */
  readonly clock?: "virtual" | "real";
}

/**
 * Runs a registry's actors for one test; stopped and dropped when it is over. Fails the test with `test.leaked` when an
 * actor's code has left a timer or a socket that keeps the process alive.
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
  options: SetupTestOptions = {},
): Promise<TestSetup<Registry<U>>> {
  const real = nodeEnv({ logLevel: levelAsked("warn") });
  const time = options.clock === "real" ? undefined : new VirtualTime(real, real.clock.now());
  const env: Env = time === undefined ? real : { ...real, ...partsOf(time) };
  const store = openMemoryStore({
    env,
    own: ownInMemory(env),
    onFatal: (cause) => {
      throw cause;
    },
  });
  const storage = new CrashingStorage(store.storage);
  const runtime = new Runtime({
    env,
    directory: store.directory,
    storage,
    use: registry.config.use,
    access: registry.config,
    maxAwakeActors: registry.config.maxAwakeActors,
    relay: registry.config.relay,
    clientHibernates: true,
  });
  const leaks = new LeakWatch(() => runtime.running());
  atEnd(t, async () => {
    await runtime.stop();
    await storage.close();
    const left = await leaks.close(real.timers);
    if (left.length > 0) throw testErrors.leaked(left);
  });
  await runtime.start();
  const levers = new Levers({
    idle: () => time?.idle() ?? macrotask(real),
    host: runtime.host,
    storage,
    directory: store.directory,
  });
  return {
    client: runtime.client<Registry<U>>(),
    clock: clockOf(env, time),
    evict: (actor) => levers.evict(actor),
    crash: (actorId, at) => levers.crash(actorId, at),
    expectAsleep: (actorId) => levers.expectAsleep(actorId),
  };
}

/** Nobody sets a test's wall clock, and nothing has to look at it as time goes by: an idle year is passed in no time. */
function partsOf({ clock, timers, afterTurn, asyncContext }: VirtualTime) {
  return { clock: { ...clock, steady: true }, timers, afterTurn, asyncContext };
}

function clockOf(env: Env, time: VirtualTime | undefined): TestClock {
  return {
    now: () => env.clock.now(),
    advance: async (ms) => {
      if (time === undefined) throw testErrors.realClock();
      if (typeof ms !== "number" || !(ms >= 0 && env.clock.now() + ms <= LAST_MOMENT_MS))
        throw testErrors.notATime(ms);
      await time.pass(ms);
    },
  };
}

/** Vitest's context has one name for it, node:test's another. */
function atEnd(t: TestScope, end: () => Promise<void>): void {
  if ("onTestFinished" in t) t.onTestFinished(end);
  else t.after(end);
}

/** What has begun is done, as far as that is up to turns. */
function macrotask(env: Env): Promise<void> {
  return new Promise((resolve) => env.afterTurn(() => env.afterTurn(resolve)));
}
