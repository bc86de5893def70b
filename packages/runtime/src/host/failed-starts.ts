/**
 * FailedStarts: what kept actors from starting. The cause is in the log under an id, and is kept for people who look at the actor; callers
 * get the id, as of any error whose cause isn't theirs to read.
 *
 * Whoever asks for an actor that can't start asks again, and so do its alarms. What fails as it did a moment ago is the line that is there
 * already, with its id, once a minute for each actor. One that couldn't be made has another id at each try: it is told by its address.
 */
import { type Env, TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { textWithoutSecrets } from "@troupe/relay/secrets";
import { hostingErrors, tellsOfStop } from "../errors.ts";
import type { ActorRecord } from "../ports/directory.ts";
import { AGAIN_MS } from "../seldom.ts";
import { CutOff } from "./cut-off.ts";
import { pathOf } from "./target.ts";

/** A start that failed. */
export interface FailedStart {
  /** Wall clock. */
  readonly at: number;
  /** Of its line in the log. */
  readonly id: string;
  /** `group.code`, or the name of an error of another class. */
  readonly code: string;
  /** Of the error and its causes, without what looks like a secret: drivers tell the URLs that they were given. */
  readonly message: string;
}

/** What callers are told of a start that failed. It has its line in the log. */
export class StartError extends TroupeError {
  readonly #isOne = true;
  /** Of that line. */
  readonly logId: string;
  /** Which actor couldn't be started, or made. */
  readonly actor: ActorRecord;

  constructor(told: TroupeError, { logId, actor }: Pick<StartError, "logId" | "actor">, cause: unknown) {
    const { group, code, message, metadata, statusCode } = told;
    super(group, code, message, { metadata: { ...metadata, id: logId }, statusCode, cause });
    this.logId = logId;
    this.actor = actor;
  }

  /** Never throws, whatever was thrown: `instanceof` asks a proxy for its prototype. */
  static override is(error: unknown): error is StartError {
    return typeof error === "object" && error !== null && #isOne in error;
  }
}

/** The actor that `error` kept from starting, if that is what it tells. */
export function unstarted(error: unknown): ActorRecord | undefined {
  return StartError.is(error) ? error.actor : undefined;
}

interface Kept extends FailedStart {
  /** Monotonic, when its line was written. */
  readonly logged: number;
  /** Failures that were left out since then. */
  more: number;
}

/** Causes of causes. */
const DEPTH = 8;

/** Those of one host: the last one of each actor. */
export class FailedStarts {
  readonly #env: Pick<Env, "clock" | "ids" | "log">;
  /** By the actor's id, or the address of one that couldn't be made, the latest last. */
  readonly #kept = new Map<string, Kept>();

  constructor(env: Pick<Env, "clock" | "ids" | "log">) {
    this.#env = env;
  }

  /** The last one of an actor, as long as there weren't too many of others since. */
  get(actorId: string): FailedStart | undefined {
    return this.#kept.get(actorId);
  }

  /**
   * What callers get for `cause`. What passes by itself stays as it is, and so does what tells the caller who made an actor what was wrong:
   * neither is the actor's failure.
   */
  note(record: ActorRecord, cause: unknown, creates: boolean): unknown {
    if (cause instanceof CutOff || tellsOfStop(cause)) return cause;
    const told = publicOf(cause);
    if (told !== undefined && (told.retryable || (creates && told.statusCode < 500))) return cause;
    const { id } = this.#keep(record, cause, creates ? pathOf(record) : record.id);
    return new StartError(
      told ?? hostingErrors.startFailed(record.name),
      { logId: id, actor: record },
      cause,
    );
  }

  #keep(record: ActorRecord, cause: unknown, subject: string): FailedStart {
    const { clock, ids } = this.#env;
    const { code, message, logId } = read(cause);
    const last = this.#kept.get(subject);
    this.#kept.delete(subject);
    const again =
      last?.message === message && last.code === code && clock.monotonic() - last.logged < AGAIN_MS;
    const kept: Kept = again
      ? { ...last, at: clock.now(), more: last.more + 1 }
      : { at: clock.now(), id: logId ?? ids.random(), code, message, logged: clock.monotonic(), more: 0 };
    this.#kept.set(subject, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > engineLimits.failedStarts && oldest !== undefined) this.#kept.delete(oldest);
    if (!again) this.#log(record, kept, { cause, more: last?.more ?? 0, elsewhere: logId !== undefined });
    return kept;
  }

  #log(
    { name, key, id: actorId }: ActorRecord,
    { id, code, message }: Kept,
    { cause, more, elsewhere }: Left,
  ): void {
    const { log } = this.#env;
    const about = { actor: name, key, actorId, id, ...(more > 0 && { more }) };
    if (elsewhere)
      log.error("an actor failed to start on its host, whose log says where", {
        ...about,
        error: code,
        why: message,
      });
    else
      try {
        log.error("an actor failed to start", { ...about, cause });
      } catch {
        log.error("an actor failed to start", { ...about, error: code, why: message });
      }
  }
}

interface Left {
  readonly cause: unknown;
  readonly more: number;
  /** Its stack is in the log of whoever has its code. */
  readonly elsewhere: boolean;
}

interface Read {
  readonly code: string;
  readonly message: string;
  readonly logId: string | undefined;
}

/** Never throws, whatever was thrown. */
function read(cause: unknown): Read {
  try {
    const messages: string[] = [];
    for (let error = cause; error !== undefined && messages.length < DEPTH; error = causeOf(error)) {
      const message = error instanceof Error ? error.message : String(error);
      if (!messages.some((known) => known.includes(message))) messages.push(message);
    }
    const message = textWithoutSecrets(messages.join(": ")).slice(0, limits.errorMessageLength);
    if (!TroupeError.is(cause))
      return { code: cause instanceof Error ? cause.name : "Error", message, logId: undefined };
    const logId = cause.public ? undefined : cause.metadata?.["logId"];
    return { code: `${cause.group}.${cause.code}`, message, logId: isId(logId) ? logId : undefined };
  } catch {
    return { code: "Error", message: "what was thrown can't be read", logId: undefined };
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value.length <= limits.memberNameLength;
}

/** An error that callers may read. */
function publicOf(cause: unknown): TroupeError | undefined {
  try {
    return TroupeError.is(cause) && cause.public ? cause : undefined;
  } catch {
    return undefined;
  }
}
