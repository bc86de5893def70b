/**
 * RawExchange: one HTTP request in an actor's own protocol, between its client and what its actor makes of it.
 *
 *   opening ──the actor has it──▶ open ──its answer begins──▶ answering ──▶ done
 *      └───────────┴── refused: an answer of the gateway's ──▶ done
 *
 * Bodies pass in chunks and are never gathered: the request's is read when the actor asks for it, the answer's is made
 * when the client has taken what was made before. An adapter gives the request, takes the answer, and says what of it
 * was taken and when the client is gone.
 */
import { type LogFields, TroupeError } from "@troupe/base";
import { ERROR_HEADER, limits, PARAMS_HEADER } from "@troupe/protocol";
import { gatewayErrors, requestErrors } from "../errors.ts";
import { logFieldsOf, type Target } from "../host/target.ts";
import type { ByteSource, HeaderList, HttpAnswerHead, HttpExchange, HttpPeer } from "../ports/raw.ts";
import { DeclaredAnswer, type LengthMistake } from "./declared-answer.ts";
import { answerHeaders, preflightOf, requestHeaders } from "./http-headers.ts";
import { checkMethod, errorResponse, type GatewayResponse } from "./http-message.ts";
import { headerParams } from "./params.ts";
import { type ActorRoute, parseRoute, type RawRoute } from "./route.ts";
import type { GatewayServices } from "./services.ts";

/** A request as an adapter gives it. */
export interface StreamingRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** What it was sent to: `http://host:port`. */
  readonly origin: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly headers: HeaderList;
  /** Absent for a request without one. */
  readonly body: ByteSource | undefined;
  /** From an actor of this process: what it says is for the other actor, and nothing of it for the gateway. */
  readonly inside?: boolean;
}

/** Where its answer goes. None of these throws; behind `end` and `reset` nothing comes. */
export interface StreamingReply {
  head(head: HttpAnswerHead): void;
  /** The adapter says with `taken` when the client has it. */
  chunk(bytes: Uint8Array): void;
  end(): void;
  /** The client must notice that this isn't all. */
  reset(error: TroupeError): void;
}

/** What an exchange is made of. */
interface ExchangeParts {
  readonly services: GatewayServices;
  readonly request: StreamingRequest;
  readonly reply: StreamingReply;
  readonly target: (actor: ActorRoute) => Target;
  readonly cors: Readonly<Record<string, string>> | undefined;
  /** A header that actors don't get. */
  readonly hidden: string | undefined;
}

/** An actor that stops just when a request comes is asked again: the next activation takes it. */
const MOST_ATTEMPTS = 3;
const NOT_MODIFIED = 304;

/** One request of one client. */
export class RawExchange implements HttpPeer {
  readonly #parts: ExchangeParts;
  readonly #body: ByteSource | undefined;
  #exchange: HttpExchange | undefined;
  #phase: "opening" | "answering" | "done" = "opening";
  #attempts = 0;
  /** Who it is for, as the log has it. */
  #actor: LogFields = {};
  /** The answer, when its head says how long its body is. */
  #declared: DeclaredAnswer | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { body } = parts.request;
    this.#body = body && new WatchedBody(body, parts.services);
  }

  /** Once. Never throws. */
  start(): void {
    const { request, cors } = this.#parts;
    try {
      const preflight = preflightOf(request);
      if (preflight !== undefined) {
        this.#say({ status: 204, headers: { ...preflight, ...cors }, body: "" });
        return;
      }
      checkMethod(request.method);
      const route = parseRoute(request.url);
      if (route.kind !== "request") throw gatewayErrors.notFound(request.url);
      void this.#open(route);
    } catch (cause) {
      this.refused(cause);
    }
  }

  /** The client has taken chunks of the answer. */
  taken(chunks: number): void {
    this.#exchange?.credit(chunks);
  }

  /** The client is gone. */
  gone(): void {
    if (this.#phase === "done") return;
    this.#phase = "done";
    this.#declared?.stop();
    this.#exchange?.cancel(undefined);
  }

  head({ status, headers }: HttpAnswerHead): void {
    if (this.#phase !== "opening") return;
    let answer: { headers: HeaderList; length: number | undefined };
    try {
      answer = answerHeaders(status, headers, this.#parts.cors);
    } catch (cause) {
      this.#exchange?.cancel(undefined);
      this.refused(cause);
      return;
    }
    this.#phase = "answering";
    const { reply, request, services } = this.#parts;
    const head = { status, headers: answer.headers };
    // Those have a length and no body.
    if (answer.length === undefined || request.method === "HEAD" || status === NOT_MODIFIED) reply.head(head);
    else this.#declared = new DeclaredAnswer(services.env.timers, reply, head, answer.length);
  }

  chunk(bytes: Uint8Array): void {
    if (this.#phase !== "answering") return;
    if (this.#declared === undefined) return this.#parts.reply.chunk(bytes);
    const mistake = this.#declared.chunk(bytes);
    if (mistake !== undefined) this.#brokenOff(mistake);
  }

  end(): void {
    if (this.#phase !== "answering") return;
    const mistake = this.#declared?.end();
    if (mistake !== undefined) return this.#brokenOff(mistake);
    this.#phase = "done";
    this.#parts.reply.end();
  }

  reset(error: TroupeError): void {
    if (this.#phase !== "answering") return;
    this.#declared?.stop();
    if (this.#declared?.isHeld === true) {
      this.#phase = "opening";
      return this.refused(error);
    }
    this.#phase = "done";
    this.#parts.services.report(error, { request: this.#parts.request.url, ...this.#actor });
    this.#parts.reply.reset(error);
  }

  refused(cause: unknown): void {
    if (this.#phase !== "opening") return;
    const { services, request } = this.#parts;
    const logId = services.report(cause, { request: request.url, ...this.#actor });
    this.#body?.cancel();
    const answer = errorResponse(cause, "json", logId);
    const code = TroupeError.is(cause) && cause.public ? `${cause.group}.${cause.code}` : "internal.error";
    this.#say({ ...answer, headers: { ...answer.headers, [ERROR_HEADER]: code, ...this.#parts.cors } });
  }

  async #open(route: RawRoute): Promise<void> {
    const { services, request, target, hidden } = this.#parts;
    this.#attempts += 1;
    try {
      const wanted = target(route.actor);
      this.#actor = logFieldsOf(wanted);
      const params = headerParams(request.header(PARAMS_HEADER));
      const instance = await services.host.load(wanted);
      if (this.#phase === "done") return;
      instance.open({
        kind: "http",
        params,
        head: {
          method: request.method,
          url: request.origin + route.url,
          headers: requestHeaders(request.headers, hidden),
        },
        body: this.#body,
        peer: this,
        opened: (exchange) => this.#opened(exchange),
        refused: (cause) => {
          if (this.#again(cause)) void this.#open(route);
          else this.refused(cause);
        },
      });
    } catch (cause) {
      this.refused(cause);
    }
  }

  #opened(exchange: HttpExchange): void {
    this.#exchange = exchange;
    if (this.#phase === "done") exchange.cancel(undefined);
    else exchange.credit(limits.bodyChunks);
  }

  #again(cause: unknown): boolean {
    if (this.#phase !== "opening" || this.#exchange !== undefined || this.#attempts >= MOST_ATTEMPTS)
      return false;
    return TroupeError.is(cause) && cause.retryable && cause.group === "actor" && cause.code === "stopping";
  }

  /** An answer of the gateway's own. */
  #say({ status, headers, body }: GatewayResponse): void {
    this.#phase = "done";
    const { reply } = this.#parts;
    reply.head({ status, headers: Object.entries(headers) });
    if (body.length > 0 && this.#parts.request.method !== "HEAD")
      reply.chunk(typeof body === "string" ? utf8.encode(body) : body);
    reply.end();
  }

  #brokenOff(mistake: LengthMistake): void {
    this.reset(requestErrors.badResponse(`its body is ${mistake} than its content-length`));
    this.#exchange?.cancel(undefined);
  }
}

const utf8 = new TextEncoder();

/** A body that may not be silent for long while somebody waits for it. */
class WatchedBody implements ByteSource {
  readonly #source: ByteSource;
  readonly #services: GatewayServices;

  constructor(source: ByteSource, services: GatewayServices) {
    this.#source = source;
    this.#services = services;
  }

  read(): Promise<Uint8Array | undefined> {
    const { timers } = this.#services.env;
    return new Promise((resolve, reject) => {
      const silent = (): void => {
        this.#source.cancel();
        reject(requestErrors.bodySilent(limits.bodySilenceMs));
      };
      const timer = timers.set(silent, limits.bodySilenceMs, { background: true });
      this.#source.read().then(
        (bytes) => {
          timers.clear(timer);
          resolve(bytes);
        },
        (cause: unknown) => {
          timers.clear(timer);
          reject(requestErrors.bodyBroken(cause));
        },
      );
    });
  }

  cancel(): void {
    this.#source.cancel();
  }
}
