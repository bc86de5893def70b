/**
 * What a workflow's code gets: the same names and shapes as RivetKit's, without types, which `actor/types/workflow.ts` has.
 * Its place is behind a private name: code of an actor is not always its owner's own.
 */
import type { ActorLogger } from "../actor/types/actor-log.ts";
import { queueErrors } from "../queue/errors.ts";
import { caughtKinds, type Tried, tryBlock, tryStep } from "./attempts.ts";
import { type Branch, runJoin, runRace } from "./branches.ts";
import { runChild } from "./child.ts";
import { workflowErrors } from "./errors.ts";
import type { BlockFailure } from "./failure.ts";
import { loopSettings, runLoop } from "./loop.ts";
import { nextMessages, type WantedMessages, type WorkflowMessage } from "./messages.ts";
import { removed, rollbackCheckpoint, sleepUntil, versionAt } from "./pauses.ts";
import type { Scope } from "./scope.ts";
import { runStep, type StepOutcome, stepError, stepSettings } from "./step.ts";

type Config = Readonly<Record<string, unknown>>;

/** Who the actor is. */
export interface WorkflowActor {
  readonly actorId: string;
  readonly name: string;
  readonly key: string[];
  readonly log: ActorLogger;
}

/** `ctx` of a workflow, a round, a branch or a block. */
export class ScopeContext {
  readonly #scope: Scope;
  readonly #actor: WorkflowActor;

  constructor(scope: Scope, actor: WorkflowActor) {
    this.#scope = scope;
    this.#actor = actor;
  }

  get workflowId(): string {
    return this.#scope.life.id;
  }

  get abortSignal(): AbortSignal {
    return this.#scope.signal;
  }

  get actorId(): string {
    return this.#actor.actorId;
  }

  get name(): string {
    return this.#actor.name;
  }

  get key(): string[] {
    return this.#actor.key;
  }

  get log(): ActorLogger {
    return this.#actor.log;
  }

  get queue(): object {
    const next = async (name: string, options?: unknown): Promise<WorkflowMessage> => {
      const wanted = { ...wantedOf(options), count: 1 };
      const [message] = await nextMessages(this.#scope, name, wanted);
      if (message === undefined) throw queueErrors.timedOut(wanted.names?.[0], wanted.timeout ?? 0);
      return message;
    };
    return {
      next: (name: string, options?: unknown) => watched(next(name, options)),
      nextBatch: (name: string, options?: unknown) =>
        watched(given(() => nextMessages(this.#scope, name, wantedOf(options)))),
    };
  }

  step(nameOrConfig: unknown, run?: unknown): Promise<unknown> {
    return watched(
      given(async () => {
        const outcome = await runStep(this.#scope, stepSettings(configOf(nameOrConfig, run)));
        if (outcome.ok) return outcome.value;
        throw stepError(this.#scope, outcome.failure);
      }),
    );
  }

  tryStep(nameOrConfig: unknown, run?: unknown): Promise<StepOutcome> {
    const config = configOf(nameOrConfig, run);
    return watched(given(() => tryStep(this.#scope, stepSettings(config), caughtKinds(config["catch"]))));
  }

  try(nameOrConfig: unknown, run?: unknown): Promise<Tried<BlockFailure>> {
    const { name, run: block, catch: kinds } = configOf(nameOrConfig, run);
    return watched(
      given(() => tryBlock(this.#scope, name as string, functionOf("run", block), caughtKinds(kinds))),
    );
  }

  loop(nameOrConfig: unknown, run?: unknown): Promise<unknown> {
    return watched(given(() => runLoop(this.#scope, loopSettings(configOf(nameOrConfig, run)))));
  }

  sleep(name: string, durationMs: number): Promise<void> {
    const { clock } = this.#scope.life.owner.env;
    return watched(sleepUntil(this.#scope, name, () => clock.now() + durationMs));
  }

  sleepUntil(name: string, timestampMs: number): Promise<void> {
    return watched(sleepUntil(this.#scope, name, () => timestampMs));
  }

  rollbackCheckpoint(name: string): Promise<void> {
    return watched(rollbackCheckpoint(this.#scope, name));
  }

  join(name: string, branches: unknown): Promise<Record<string, unknown>> {
    return watched(
      given(() => {
        if (typeof branches !== "object" || branches === null)
          throw workflowErrors.invalidOption("branches", "an object of branches");
        const all = Object.entries(branches).map(([key, branch]) => branchOf(key, branch));
        return runJoin(this.#scope, name, all);
      }),
    );
  }

  race(name: string, branches: unknown): Promise<{ winner: string; value: unknown }> {
    return watched(
      given(() => {
        if (!Array.isArray(branches) || branches.length === 0)
          throw workflowErrors.invalidOption("branches", "a list of one branch or more");
        const all = (branches as readonly unknown[]).map((branch) => branchOf(undefined, branch));
        return runRace(this.#scope, name, all);
      }),
    );
  }

  child(name: string, options: unknown): Promise<unknown> {
    return watched(
      given(() => {
        const { workflow, input, id } = configOf(options, undefined);
        if (typeof workflow !== "string") throw workflowErrors.invalidOption("workflow", "a name");
        if (id !== undefined && typeof id !== "string") throw workflowErrors.invalidOption("id", "text");
        return runChild(this.#scope, name, { workflow, input, id });
      }),
    );
  }

  removed(name: string, originalType: string): Promise<void> {
    return watched(removed(this.#scope, name, originalType));
  }

  getVersion(name: string, latest: number): Promise<number> {
    return watched(versionAt(this.#scope, name, latest));
  }

  isEvicted(): boolean {
    return this.#scope.signal.aborted;
  }
}

// What a step has and its workflow hasn't is refused by name, instead of being undefined.
for (const member of ["state", "vars", "db", "kv", "client", "broadcast", "schedule", "workflows"]) {
  Object.defineProperty(ScopeContext.prototype, member, {
    get: () => {
      throw workflowErrors.outsideStep(member);
    },
  });
}

/** Behind a call that nobody awaits: an error mustn't end the process. */
function watched<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
}

/** What is wrong with the arguments rejects as well. */
async function given<R>(work: () => Promise<R>): Promise<R> {
  return await work();
}

function configOf(nameOrConfig: unknown, run: unknown): Config {
  if (typeof nameOrConfig === "object" && nameOrConfig !== null) return nameOrConfig as Config;
  return { name: nameOrConfig, run };
}

function branchOf(key: string | undefined, branch: unknown): Branch {
  const { name, run } = configOf(branch, undefined);
  return { name: key ?? (name as string), run: functionOf("run", run) };
}

function functionOf(option: string, value: unknown): (ctx: unknown) => unknown {
  if (typeof value !== "function") throw workflowErrors.invalidOption(option, "a function");
  return value as (ctx: unknown) => unknown;
}

function wantedOf(options: unknown): WantedMessages {
  const { names, timeout, completable, count = 1 } = configOf(options ?? {}, undefined);
  if (timeout !== undefined && !(typeof timeout === "number" && timeout >= 0))
    throw queueErrors.invalidOption("timeout", "a number, 0 or more");
  if (names !== undefined && !Array.isArray(names))
    throw queueErrors.invalidOption("names", "a list of names");
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1)
    throw queueErrors.invalidOption("count", "a whole number, 1 or more");
  return { names, timeout, count, completable: completable === true };
}
