/**
 * `dynamicActor({ source })`: an actor whose code is text, run in an isolate of its own.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type ActorCarrier,
  type CarriedActivationInfo,
  type CarriedDefinition,
  type CarriedNeed,
  type CarrierRequest,
  type CarrierSource,
  carriedActorFrom,
} from "@troupe/runtime";
import { dynamicErrors } from "./carriers/isolate/errors.ts";
import { isolateCarrier } from "./carriers/isolate/isolate-carrier.ts";
import { leaseProcess, type ProcessLease } from "./carriers/isolate/isolate-processes.ts";
import type { IsolateOrder } from "./carriers/isolate/wire.ts";
import { openSession } from "./session/open-session.ts";
import type { PluginSession } from "./session/session.ts";
import { TROUPE_VERSION } from "./version.ts";

/** The limits of each actor's isolate. */
export interface IsolateLimits {
  /** MiB of its heap and its buffers. Default 64, at least 8. */
  readonly memoryLimit?: number;
  /** Milliseconds of one uninterrupted run. Default 1,000. */
  readonly cpuTimeLimitMs?: number;
}

/** A source, as a loader gives it. */
export interface DynamicSource {
  /** An ES module: JavaScript. Its default export is what `actor({ … })` gives; its one import is "troupe". */
  readonly source: string;
  /** Default: "esm-js", the one format that there is. */
  readonly sourceFormat?: "esm-js";
  readonly nodeProcess?: IsolateLimits;
}

/** What a loader is told of the actor that needs its source. */
export type LoadContext = CarriedActivationInfo;

/** What `dynamicActor` takes: a source, or a loader that is asked at each activation. */
export type DynamicActorOptions = (DynamicNeeds & DynamicSource) | DynamicActorConfig;

/** Finds the source of an actor, at each activation. */
export type DynamicActorLoader = (c: LoadContext) => DynamicSource | Promise<DynamicSource>;

/** What `dynamicActor` takes with a loader. */
export interface DynamicActorConfig extends DynamicNeeds {
  readonly load: DynamicActorLoader;
}

/** What `dynamicActor` returns. */
export type DynamicActorDefinition = CarriedDefinition;

/** What the source gets beside its own state and keys. It is the program's word, never the source's. */
export interface DynamicNeeds {
  /**
   * "actors": it may call every actor of the registry (`c.client()`). "database": it has a database of its own (`db`, from
   * "troupe/db"). Default: neither.
   */
  readonly needs?: readonly CarriedNeed[];
  /** Milliseconds of one text of SQL, 1 to 60,000: it is ended then, with `sql.timed_out`. Default 5,000. */
  readonly sqlTimeLimitMs?: number;
}

/**
 * Defines an actor whose code is text.
 *
 * ```ts
 * const greeter = dynamicActor({
 *   source: `import { actor } from "troupe";
 *            export default actor({ actions: { greet: (c, name) => "Hello, " + name } });`,
 * });
 * ```
 *
 * Each activation runs in an isolate of its own, with limits of its own, in a process without environment that all
 * dynamic actors of a runtime share. The definition is frozen. Throws `dynamic.bad_option`; an actor whose source is
 * wrong fails its calls with `dynamic.*`, and the next call tries again. Throws `config.invalid_option` for wrong
 * `needs` or `sqlTimeLimitMs`.
 */
export function dynamicActor(options: DynamicActorOptions): DynamicActorDefinition {
  if (typeof options !== "object" || options === null) throw dynamicErrors.badOption("it takes an object");
  const { needs, sqlTimeLimitMs = limits.sqlStatementMs, ...where } = options;
  const load = loaderOf(where);
  return carriedActorFrom((request) => new DynamicCarriers(request, load), { needs, sqlTimeLimitMs });
}

/** One runtime's carriers of one definition: an isolate for each activation. */
class DynamicCarriers implements CarrierSource {
  readonly #request: CarrierRequest;
  readonly #load: DynamicActorLoader;
  readonly #lease: ProcessLease;
  readonly #sessions = new Set<PluginSession>();

  constructor(request: CarrierRequest, load: DynamicActorLoader) {
    this.#request = request;
    this.#load = load;
    this.#lease = leaseProcess(request.env);
  }

  async carrier(actor: CarriedActivationInfo): Promise<ActorCarrier> {
    const order = await this.#order(actor);
    const { env, name } = this.#request;
    const session = await openSession({
      env: { timers: env.timers, log: env.log.child({ actor: name, actorId: actor.actorId }) },
      open: isolateCarrier(this.#lease.process, order),
      hostVersion: TROUPE_VERSION,
    });
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    return endsWithItsLine(session.actor(name));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#lease.release();
  }

  async #order(actor: CarriedActivationInfo): Promise<IsolateOrder> {
    const loaded = await this.#loaded(actor);
    const { source, nodeProcess = {} } = checked(loaded);
    const { memoryLimit = limits.isolateMemoryMb, cpuTimeLimitMs = limits.isolateTimeMs } = nodeProcess;
    return { name: this.#request.name, source, memoryLimit, timeLimitMs: cpuTimeLimitMs };
  }

  async #loaded(actor: CarriedActivationInfo): Promise<DynamicSource> {
    try {
      return await this.#load(actor);
    } catch (cause) {
      throw TroupeError.is(cause) ? cause : dynamicErrors.loaderFailed(cause);
    }
  }
}

/** The isolate is one activation's: it ends with the activation's line. */
function endsWithItsLine(carrier: ActorCarrier): ActorCarrier {
  return {
    declaration: carrier.declaration,
    encoding: carrier.encoding,
    get open() {
      return carrier.open;
    },
    connect: (ear) => {
      const line = carrier.connect(ear);
      return {
        send: (word) => line.send(word),
        close: () => {
          line.close();
          void carrier.close();
        },
      };
    },
    close: () => carrier.close(),
  };
}

const keys: ReadonlySet<string> = new Set(["source", "sourceFormat", "nodeProcess"]);

function loaderOf(options: DynamicActorOptions): DynamicActorLoader {
  if (!("load" in options)) {
    const source = Object.freeze({ ...checked(options) });
    return () => source;
  }
  const { load } = options;
  const other = Object.keys(options).find((key) => key !== "load");
  if (other !== undefined) throw dynamicErrors.badOption(`"${other}" can't stand beside \`load\``);
  if (typeof load !== "function") throw dynamicErrors.badOption("`load` must be a function");
  return load;
}

/** What was given, or loaded. Throws `dynamic.bad_option`, `dynamic.source_too_long`. */
function checked(given: DynamicSource): DynamicSource {
  if (typeof given !== "object" || given === null) throw dynamicErrors.badOption("a source is an object");
  const unknown = Object.keys(given).find((key) => !keys.has(key));
  if (unknown !== undefined) throw dynamicErrors.badOption(`there is no option "${unknown}"`);
  const { source, sourceFormat, nodeProcess } = given;
  if (typeof source !== "string") throw dynamicErrors.badOption("`source` must be the text of a module");
  if (Buffer.byteLength(source) > limits.isolateSourceBytes)
    throw dynamicErrors.sourceTooLong(Buffer.byteLength(source), limits.isolateSourceBytes);
  if (sourceFormat !== undefined && sourceFormat !== "esm-js")
    throw dynamicErrors.badOption('`sourceFormat` must be "esm-js"');
  checkLimits(nodeProcess);
  return given;
}

function checkLimits(given: IsolateLimits | undefined): void {
  const { memoryLimit = limits.isolateMemoryMb, cpuTimeLimitMs = limits.isolateTimeMs } = given ?? {};
  if (!(Number.isInteger(memoryLimit) && memoryLimit >= limits.isolateMemoryLeastMb))
    throw dynamicErrors.badOption(
      `\`memoryLimit\` must be whole MiB, at least ${limits.isolateMemoryLeastMb}`,
    );
  if (!(Number.isInteger(cpuTimeLimitMs) && cpuTimeLimitMs >= 1))
    throw dynamicErrors.badOption("`cpuTimeLimitMs` must be whole milliseconds, at least 1");
}
