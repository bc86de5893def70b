/**
 * `dynamicActor({ source })`: an actor whose code is text, run in an isolate of its own.
 */
import { TROUPE_VERSION, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type ActorCarrier,
  type CarriedActivationInfo,
  type CarriedAuth,
  type CarriedDefinition,
  type CarriedNeed,
  type CarrierRequest,
  type CarrierSource,
  carriedActorFrom,
} from "@troupe/runtime";
import { Egress } from "@troupe/runtime/egress";
import { RelayHost } from "./activation/relay-host.ts";
import { dynamicErrors } from "./carriers/isolate/errors.ts";
import { isolateCarrier } from "./carriers/isolate/isolate-carrier.ts";
import { leaseProcess, type ProcessLease } from "./carriers/isolate/isolate-processes.ts";
import type { IsolateOrder } from "./carriers/isolate/wire.ts";
import { FetchHost } from "./dynamic/fetch-host.ts";
import { FileHost } from "./dynamic/files/file-host.ts";
import { fileTurnsOf } from "./dynamic/files/file-turns.ts";
import { type DynamicGrants, type ReadGrants, readGrants } from "./dynamic/grants.ts";
import {
  type ActorSource,
  checkLimits,
  checkLoaded,
  checkSource,
  type DynamicSource,
  hasTypes,
  type IsolateLimits,
} from "./dynamic/source.ts";
import { SourceHost } from "./dynamic/source-host.ts";
import { textOfSource } from "./dynamic/source-text.ts";
import { InnerError } from "./inner-error.ts";
import { openSession } from "./session/open-session.ts";
import type { PluginSession } from "./session/session.ts";

/** What a loader is told of the actor that needs its source. */
export type LoadContext = CarriedActivationInfo;

/** What `dynamicActor` takes: a source, or a loader that is asked at each activation. */
export type DynamicActorOptions = (DynamicTerms & ActorSource) | DynamicActorConfig;

/** Finds the source of an actor, at each activation. */
export type DynamicActorLoader = (c: LoadContext) => DynamicSource | Promise<DynamicSource>;

/** Decides who may come to an actor. */
export type DynamicActorAuth = CarriedAuth;

/** What `dynamicActor` takes with a loader. */
export interface DynamicActorConfig extends DynamicTerms {
  readonly load: DynamicActorLoader;
}

/** What a source may be given by its name. */
export type DynamicNeed = CarriedNeed | RelayNeed;

/** What of its registry's relay a source may ask for. */
type RelayNeed = "events" | "calls";

/** What `dynamicActor` returns. */
export type DynamicActorDefinition = CarriedDefinition;

/** What holds for the source, whatever it says: limits, and what it gets beside its own state and keys. */
export interface DynamicTerms extends DynamicGrants {
  /**
   * Who may come: asked with the connection parameters of each connection, and of each call, message, request and raw socket
   * without one, before the source hears of it. What it throws, or `false`, refuses. Default: the source alone decides.
   */
  readonly auth?: DynamicActorAuth;
  /** Of each activation's isolate. */
  readonly limits?: IsolateLimits;
  /**
   * "actors": it may call every actor of the registry (`c.client()`). "database": it has a database of its own (`db`, from
   * "troupe/db"). "events": what it says of itself (`c.mark`, `c.metric`) is told by the registry's relay. "calls": its tools and models
   * (`c.tool`, `c.llm`) run under that relay's middleware. Default: none.
   */
  readonly needs?: readonly DynamicNeed[];
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
  const {
    needs = [],
    sqlTimeLimitMs = limits.sqlStatementMs,
    limits: own,
    auth,
    env,
    packages,
    network,
    files,
    ...where
  } = options;
  checkLimits(own);
  if (!Array.isArray(needs) || !needs.every((need) => dynamicNeeds.includes(need)))
    throw dynamicErrors.badOption(`\`needs\` must be a list of ${dynamicNeeds.join(", ")}`);
  const code = {
    load: loaderOf(where),
    limits: Object.freeze({ ...own }),
    asks: relayNeeds.filter((need) => needs.includes(need)),
    grants: readGrants({
      ...(env && { env }),
      ...(packages && { packages }),
      ...(network !== undefined && { network }),
      ...(files !== undefined && { files }),
    }),
  };
  return carriedActorFrom((request) => new DynamicCarriers(request, code), {
    needs: needs.filter((need) => !isRelayNeed(need)),
    sqlTimeLimitMs,
    auth,
    reloads: true,
  });
}

const relayNeeds: readonly RelayNeed[] = ["events", "calls"];
const dynamicNeeds: readonly DynamicNeed[] = ["actors", "database", ...relayNeeds];

function isRelayNeed(need: DynamicNeed): need is RelayNeed {
  return relayNeeds.some((known) => known === need);
}

/** What a definition says of its code. */
interface DynamicCode {
  readonly load: DynamicActorLoader;
  readonly limits: IsolateLimits;
  /** Of the relay. */
  readonly asks: readonly RelayNeed[];
  readonly grants: ReadGrants;
}

/** One runtime's carriers of one definition: an isolate for each activation. */
class DynamicCarriers implements CarrierSource {
  readonly #request: CarrierRequest;
  readonly #code: DynamicCode;
  readonly #lease: ProcessLease;
  readonly #sessions = new Set<PluginSession>();

  constructor(request: CarrierRequest, code: DynamicCode) {
    this.#request = request;
    this.#code = code;
    this.#lease = leaseProcess(request.env);
  }

  async carrier(actor: CarriedActivationInfo): Promise<ActorCarrier> {
    const egress = new Egress(this.#code.grants.network);
    const order = await this.#order(actor, egress.variables);
    const { env, name, relay } = this.#request;
    const { asks, grants } = this.#code;
    const log = env.log.child({ actor: name, actorId: actor.actorId });
    const session = await openSession({
      env: { ...env, log },
      open: isolateCarrier(this.#lease.process, order, actor.actorId),
      hostVersion: TROUPE_VERSION,
      host: new SourceHost(
        new FetchHost(egress),
        new FileHost(grants.files, fileTurnsOf(env)),
        asks.length > 0 && relay !== undefined
          ? new RelayHost({ relay, id: name, capabilities: asks })
          : undefined,
      ),
    }).catch((error: unknown) => {
      if (!(error instanceof InnerError)) throw error;
      log.warn("The actor's source can't be started", { error });
      throw error.forCallers;
    });
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    return endsWithItsLine(session.actor(name));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#lease.release();
  }

  async #order(
    actor: CarriedActivationInfo,
    placeholders: Readonly<Record<string, string>>,
  ): Promise<IsolateOrder> {
    const { network, files, env, ...grants } = this.#code.grants;
    const loaded = checkLoaded(await this.#loaded(actor));
    const { memoryLimit = limits.isolateMemoryMb, cpuTimeLimitMs = limits.isolateTimeMs } = {
      ...this.#code.limits,
      ...loaded.nodeProcess,
    };
    return {
      name: this.#request.name,
      source: await textOfSource(loaded, this.#request.env.timers),
      typescript: hasTypes(loaded),
      ...grants,
      ...((env || network.credentials) && { env: { ...env, ...placeholders } }),
      fetch: true,
      files: files.length > 0,
      asks: this.#code.asks,
      memoryLimit,
      timeLimitMs: cpuTimeLimitMs,
    };
  }

  async #loaded(actor: CarriedActivationInfo): Promise<DynamicSource> {
    try {
      return await this.#code.load(actor);
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

function loaderOf(options: ActorSource | Pick<DynamicActorConfig, "load">): DynamicActorLoader {
  if (!("load" in options)) {
    if ("nodeProcess" in options)
      throw dynamicErrors.badOption("`nodeProcess` is what a loader gives; here it is `limits`");
    checkSource(options);
    const { source } = options;
    // A URL may be changed by whoever has it.
    const kept = Object.freeze({ ...options, source: source instanceof URL ? new URL(source) : source });
    return () => kept;
  }
  const { load } = options;
  const other = Object.keys(options).find((key) => key !== "load");
  if (other !== undefined) throw dynamicErrors.badOption(`"${other}" can't stand beside \`load\``);
  if (typeof load !== "function") throw dynamicErrors.badOption("`load` must be a function");
  return load;
}
