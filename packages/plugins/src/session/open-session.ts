/**
 * Opens a session: starts the plugin, says Hello and hears Ready.
 *
 * The time for all of that is one. A carrier that arrives after it is closed at once, so that a plugin that was slow
 * to start is not left running with nobody to talk to.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { fromCarriedError } from "@troupe/protocol/actor/v1";
import { PLUGIN_VERSIONS, type PluginFrame, type Ready } from "@troupe/protocol/plugin/v1";
import type { Carrier, OpenCarrier } from "../carrier.ts";
import { pluginErrors } from "../errors.ts";
import { within } from "../within.ts";
import { type PluginDeclarations, readDeclarations } from "./declarations.ts";
import type { PluginHost } from "./host-questions.ts";
import { closeCarrier, PluginSession, type SessionEnv } from "./session.ts";

/** What a session is opened with. */
export interface OpenSessionOptions {
  readonly env: SessionEnv;
  readonly open: OpenCarrier;
  /** Its id, for errors. Default: it has none. */
  readonly plugin?: string;
  /** The plugin's configuration: JSON text. Default: none. */
  readonly config?: Uint8Array;
  /** Of Troupe, for the plugin's information. */
  readonly hostVersion: string;
  /** The longest frame that the carrier moves. Default: `limits.pluginFrameBytes`. */
  readonly frameBytes?: number;
  /** Default: `limits.pluginOpenTimeoutMs`. */
  readonly timeoutMs?: number;
  /** What answers the plugin's own questions, for this session alone. Default: nothing does. */
  readonly host?: PluginHost;
  /** Instances start one by one, until none waits. Default: false. */
  readonly oneByOne?: boolean;
}

/**
 * A session with a plugin that is ready. Rejects with `plugin.refused`, `plugin.open_timed_out`,
 * `plugin.version_unsupported`, `plugin.encoding_unsupported`, `plugin.bad_declaration`, `plugin.violation`, or whatever
 * the carrier says; nothing of the plugin is left then.
 */
export async function openSession(options: OpenSessionOptions): Promise<PluginSession> {
  const { env, frameBytes, timeoutMs = limits.pluginOpenTimeoutMs } = options;
  const opening = new Opening();
  const carrier = options.open({
    frame: (frame) => opening.frame(frame),
    ended: (error) => opening.ended(error),
  });
  let started: Carrier | undefined;
  const greet = async () => {
    started = await carrier;
    const { config = new Uint8Array(0), hostVersion } = options;
    opening.greeted = true;
    started.send({ body: { $case: "hello", value: { versions: PLUGIN_VERSIONS, hostVersion, config } } });
    const declared = await opening.ready;
    return opening.handOver(
      new PluginSession({
        ...{ env, carrier: started, declared, frameBytes },
        host: options.host,
        oneByOne: options.oneByOne,
      }),
    );
  };
  try {
    return await within(
      env.timers,
      timeoutMs,
      Promise.race([greet(), opening.failure]),
      () => started?.unready?.(timeoutMs) ?? pluginErrors.openTimedOut(timeoutMs, options.plugin),
    );
  } catch (error) {
    opening.ended(undefined);
    const closed = carrier.then((late) => closeCarrier(env, late, limits.pluginCloseTimeoutMs));
    // One that hasn't arrived is closed when it does: nobody knows when, so nobody waits.
    if (started !== undefined) await closed;
    else closed.catch(() => {});
    throw error;
  }
}

/** Hears the carrier until the session does. */
class Opening {
  readonly #ready = Promise.withResolvers<PluginDeclarations>();
  readonly #failure = Promise.withResolvers<never>();
  readonly #early: PluginFrame[] = [];
  #session: PluginSession | undefined;
  #over: TroupeError | undefined;
  #answered = false;
  greeted = false;

  constructor() {
    // Who waits hears the first of both.
    this.#failure.promise.catch(() => {});
  }

  get ready(): Promise<PluginDeclarations> {
    return this.#ready.promise;
  }

  /** Never resolves; rejects with what went wrong. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  frame(frame: PluginFrame): void {
    if (this.#session !== undefined) return this.#session.heard(frame);
    if (this.#over !== undefined) return;
    if (this.#answered) return this.#keep(ownFrame(frame));
    const { body } = frame;
    if (!this.greeted) return this.#fail(pluginErrors.violation("it spoke before Hello"));
    if (body?.$case === "ready") {
      this.#answered = true;
      this.#declare(body.value);
    } else if (body?.$case === "failed") {
      const error = body.value.error;
      // No encoding was chosen: metadata of such an error is JSON.
      const why =
        error === undefined ? pluginErrors.violation("Failed has no error") : fromCarriedError(error, "json");
      this.#fail(pluginErrors.refused(why));
    } else if (body?.$case === "log") {
      this.#keep(frame);
    } else {
      this.#fail(
        pluginErrors.violation(`its first frame is ${body?.$case ?? "unknown"}, not Ready or Failed`),
      );
    }
  }

  ended(error: TroupeError | undefined): void {
    if (this.#session !== undefined) return this.#session.lost(error ?? pluginErrors.ended());
    this.#fail(error ?? pluginErrors.ended());
  }

  /** From now on the session hears the carrier; what came meanwhile comes first. Throws what went wrong meanwhile. */
  handOver(session: PluginSession): PluginSession {
    if (this.#over !== undefined) throw this.#over;
    this.#session = session;
    for (const frame of this.#early.splice(0)) session.heard(frame);
    return session;
  }

  /** Read now: the bytes of a frame are the carrier's, and gone when it has been told. */
  #declare(ready: Ready): void {
    try {
      this.#ready.resolve(readDeclarations(ready));
    } catch (error) {
      this.#fail(TroupeError.is(error) ? error : pluginErrors.badDeclaration("it can't be read", error));
    }
  }

  #keep(frame: PluginFrame): void {
    if (this.#early.length >= limits.openingFrames)
      return this.#fail(pluginErrors.violation("too many frames before the session is open"));
    this.#early.push(frame);
  }

  #fail(error: TroupeError): void {
    this.#over ??= error;
    this.#failure.reject(this.#over);
  }
}

/** A frame that may be kept: its bytes are its own. Before the session is open there is nothing else with bytes to say. */
function ownFrame(frame: PluginFrame): PluginFrame {
  if (frame.body?.$case !== "hostCall") return frame;
  const { value } = frame.body;
  return { body: { $case: "hostCall", value: { ...value, payload: value.payload.slice() } } };
}
