/**
 * InspectorApi: a running server's inspector, over HTTP. It is the one way by which people look into actors: who has its token may do
 * what its page can.
 */
import { TroupeError } from "@troupe/base";
import { actorsErrors } from "./errors.ts";

/** An actor in a list. Fields that a newer server has beside these are passed on as they are. */
export interface ListedActor {
  readonly id: string;
  readonly name: string;
  readonly key: readonly string[];
  /** Wall clock. */
  readonly createdAt: number;
  readonly phase: string;
}

/** A page of a list. */
export interface ActorPage {
  readonly actors: readonly ListedActor[];
  /** Names that are registered there; absent in the answer to who asked for one actor. */
  readonly names?: readonly string[];
  readonly next?: string;
}

/** What failed last. */
export interface LastError {
  readonly at: number;
  /** Absent for a start. */
  readonly action?: string;
  readonly code: string;
  /** Of a start: its line in the server's log, and what kept the actor from starting where the inspector may write. */
  readonly id?: string;
  readonly message?: string;
}

/** One actor. */
export interface ActorOverview extends ListedActor {
  readonly awakeSince: number | null;
  readonly lastError: LastError | null;
  readonly database: boolean;
  /** These three of an actor that is awake. */
  readonly awakeReasons?: readonly string[];
  readonly connections?: number;
  readonly alarmAt?: number | null;
}

/** How much it has. */
export interface ActorSize {
  readonly rows: number;
  readonly bytes: number;
  readonly more: boolean;
  readonly databaseBytes?: number;
}

/** As typed, and found in the environment. */
export interface InspectorAddress {
  readonly url: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const ANSWER_MS = 30_000;
const DEFAULT_PORT = "6420";

/** One server's. */
export class InspectorApi {
  readonly #url: string;
  readonly #token: string;

  /** Throws `config.invalid_option`, `config.no_inspector_token`. */
  constructor({ url, env }: InspectorAddress) {
    const given = url ?? (env["TROUPE_ENDPOINT"] || `http://127.0.0.1:${env["TROUPE_PORT"] || DEFAULT_PORT}`);
    if (!/^https?:\/\//.test(given) || !URL.canParse(given)) throw actorsErrors.badUrl(given);
    const token = env["TROUPE_INSPECTOR_TOKEN"];
    if (!token) throw actorsErrors.noToken();
    this.#url = new URL(given).origin;
    this.#token = token;
  }

  list(query: URLSearchParams | string): Promise<ActorPage> {
    return this.#ask(`/actors?${query}`);
  }

  overview(id: string): Promise<ActorOverview> {
    return this.#ask(`/actors/${encodeURIComponent(id)}`);
  }

  size(id: string): Promise<ActorSize> {
    return this.#ask(`/actors/${encodeURIComponent(id)}/size`);
  }

  change(id: string, verb: "wake" | "sleep" | "destroy"): Promise<object> {
    return this.#ask(`/actors/${encodeURIComponent(id)}/${verb}`, "POST");
  }

  /** Rejects with what the server answers, `actors.unreachable`, `gateway.unauthorized`, `actors.no_inspector` and `actors.unexpected_answer`. */
  async #ask<Answer extends object>(path: string, method = "GET"): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#url}/inspector${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(ANSWER_MS),
        redirect: "error",
      });
      text = await response.text();
    } catch (cause) {
      throw actorsErrors.unreachable(this.#url, cause);
    }
    const answer = parsed(text);
    if (answer === undefined) throw actorsErrors.unexpected(this.#url, response.status);
    if (!("error" in answer)) return answer as Answer;
    const { group, code, message, metadata } = Object(answer.error);
    // Without an inspector its addresses are nobody's.
    if (`${group}.${code}` === "gateway.not_found") throw actorsErrors.noInspector(this.#url);
    if (`${group}.${code}` === "gateway.unauthorized") throw actorsErrors.wrongToken(this.#url);
    throw new TroupeError(String(group), String(code), String(message), {
      statusCode: response.status,
      metadata,
    });
  }
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
