/** Actors of code that is given, whatever carries it: what a definition says of them, and the session that they share. */
import { nearest, TROUPE_VERSION, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { encodePayload } from "@troupe/protocol/actor/v1";
import type {
  ActorCarrier,
  CarriedDefinition,
  CarriedNeed,
  CarrierRequest,
  HostOptions,
} from "@troupe/runtime";
import { carriedActorFrom, OpenedCarrier } from "@troupe/runtime/carried";
import { OpeningLog } from "./activation/opening-log.ts";
import { onlyOne } from "./activation/plugin-actors.ts";
import type { OpenCarrier } from "./carrier.ts";
import { nativeErrors } from "./carriers/native/errors.ts";
import { activationErrors, runtimeErrors } from "./errors.ts";
import { openSession } from "./session/open-session.ts";

/** What a plugin's actor may say beside its code. */
export interface PluginActorTerms {
  /** Which of the plugin's actors. Default: the only one. */
  readonly actor?: string;
  /** For the plugin: a value that JSON can hold. Default: what is configured elsewhere, or none. */
  readonly config?: unknown;
  /** What it gets beside its own state and keys: calls to other actors, a database. Default: neither. */
  readonly needs?: readonly CarriedNeed[];
  /** Milliseconds of one text of SQL, 1 to 60,000: it is ended then, with `sql.timed_out`. Default 5,000. */
  readonly sqlTimeLimitMs?: number;
  /** Options that the runtime keeps, in place of those that the plugin declares. Default: as declared. */
  readonly options?: HostOptions;
}

const shared: readonly string[] = ["actor", "config", "needs", "options", "sqlTimeLimitMs"];

/** Throws `plugin.bad_option` for an option that is neither one of all nor of `own`. */
export function checkTerms(given: PluginActorTerms, own: readonly string[]): void {
  const known = [...own, ...shared];
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const suggestion = nearest(unknown, known);
  const hint = suggestion === undefined ? "" : `. Did you mean "${suggestion}"?`;
  throw nativeErrors.badOption(`there is no option "${unknown}"${hint}`);
}

/** The plugin's configuration as it travels. Throws `value.*`. */
export function configOf({ config }: PluginActorTerms): Uint8Array | undefined {
  return config === undefined ? undefined : encodePayload(config, "json", "config");
}

/** Code, and how it is opened. */
export interface ActorCode {
  readonly open: OpenCarrier;
  readonly config: Uint8Array | undefined;
  /** It is more than a module of WebAssembly. */
  readonly native: boolean;
}

/** The definition of an actor of some code. Throws `config.*`. */
export function actorOfCode(
  { actor, needs, options, sqlTimeLimitMs = limits.sqlStatementMs }: PluginActorTerms,
  code: ActorCode,
): CarriedDefinition {
  const openings = new OpeningLog();
  const open = async (request: CarrierRequest): Promise<ActorCarrier> =>
    await openings.watch(request.env.log, request.name, () => openCode(request, actor, code));
  return carriedActorFrom((request) => new CodeCarrier(request, open), { needs, options, sqlTimeLimitMs });
}

/** Whose middleware would be nobody's: where there is a relay, nothing starts beside it as if it guarded something. */
class CodeCarrier extends OpenedCarrier {
  readonly #underRelay: boolean;

  constructor(request: CarrierRequest, open: (request: CarrierRequest) => Promise<ActorCarrier>) {
    super(() => open(request));
    this.#underRelay = request.relay !== undefined;
  }

  /** Code that can't be opened guards nothing in any case: its first caller hears of it. */
  async check(): Promise<void> {
    if (!this.#underRelay) return;
    try {
      await this.carrier();
    } catch (error) {
      if (TroupeError.is(error) && error.code === "not_in_force") throw error;
    }
  }
}

async function openCode(
  { env, relay, onlyWasm = false }: CarrierRequest,
  actor: string | undefined,
  { open, config, native }: ActorCode,
): Promise<ActorCarrier> {
  if (onlyWasm && native) throw runtimeErrors.refused("A native library");
  const session = await openSession({ env, open, hostVersion: TROUPE_VERSION, ...(config && { config }) });
  try {
    const { name, middleware } = session.declared;
    if (middleware.length > 0) leftOut(name, { env, relay });
    return session.actor(actor ?? onlyOne([...session.declared.actors.keys()]));
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Middleware of bare code is nobody's: where there is a relay that is refused, and said where there is none. */
function leftOut(plugin: string, { env, relay }: Pick<CarrierRequest, "env" | "relay">): void {
  const refusal = activationErrors.bareCodeNotInForce(plugin);
  if (relay !== undefined) throw refusal;
  env.log.warn("a plugin's middleware isn't in force", { plugin, why: refusal.message });
}
