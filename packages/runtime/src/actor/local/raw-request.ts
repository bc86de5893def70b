/**
 * One raw HTTP request of one activation: the actor's end, from the connect hooks to the last byte of the answer.
 *
 *   (hooks) ──▶ onRequest ──returns a Response──▶ answering ──body ends──▶ done
 *      └───────────┴── throws, takes too long ──▶ refused        └── fails, the gate breaks ──▶ reset
 *
 * It passes the connect hooks as a call without a connection does: its connection lasts as long as the request. It keeps
 * the actor awake, and a stop waits for it within the grace period.
 *
 * In: the request's body is read when the handler reads it, never before. What of it nobody has read by the end is left.
 *
 * Out: head and chunks are outputs, each behind what the actor wrote before it. So what a client has got is on disk. When
 * the gate breaks, a client without a head is told by status, one in the middle of a body by a broken connection.
 *
 * The client is gone: `c.abortSignal` and `request.signal` fire, and the answer's body is cancelled.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actorErrors, notRetryable, requestErrors } from "../../errors.ts";
import type { FlowSink } from "../../ports/flow.ts";
import { FunctionOutput } from "../../ports/output.ts";
import type { ByteSource, HttpExchange, RawHttpRequest } from "../../ports/raw.ts";
import type { CallChain } from "../../ports/running-call.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { AnswerBody, type AnyResponse, isResponse } from "./answer-body.ts";
import { CallRun } from "./call-run.ts";
import type { Connection } from "./connection.ts";
import type { Entry } from "./entries.ts";
import { bodyFlow, leaveFlow } from "./flow-chain.ts";
import { asHook } from "./hook-scope.ts";
import { Pump } from "./pump.ts";
import { entriesOf } from "./shared-by-calls.ts";
import { withTimeout } from "./timeout.ts";

/** Takes a raw HTTP request, or refuses it. Never throws. */
export function openRequest(activation: Activation, request: RawHttpRequest): void {
  const { onRequest } = activation.behaviour.hooks;
  if (activation.phase.tag !== "running") request.refused(actorErrors.stopping());
  else if (onRequest === undefined)
    request.refused(actorErrors.noHandler(activation.record.name, "onRequest"));
  else if (activation.work.count("request") >= limits.actorRequests)
    request.refused(actorErrors.overloaded("HTTP requests in flight", limits.actorRequests));
  else void new LocalRequest(activation, request).run(onRequest);
}

/** The actor's end of one request. */
class LocalRequest implements HttpExchange {
  readonly #activation: Activation;
  readonly #asked: RawHttpRequest;
  readonly #forget: () => void;
  #connection: Connection | undefined;
  #run: CallRun | undefined;
  #pump: Pump<Uint8Array> | undefined;
  /** What the reader takes before the answer is there. */
  #credit = 0;
  #phase: "asked" | "answering" | "done" = "asked";

  constructor(activation: Activation, asked: RawHttpRequest) {
    this.#activation = activation;
    this.#asked = asked;
    activation.work.begin("request");
    this.#forget = activation.atEnd(() => this.#refuse(actorErrors.stopped(activation.record.id)));
  }

  /** Never rejects. */
  async run(handler: Hook): Promise<void> {
    this.#asked.opened(this);
    try {
      const response = await this.#inTurn(handler);
      if (this.#phase === "asked") this.#answer(response);
      else drop(response);
    } catch (cause) {
      this.#refuse(notRetryable(cause));
    }
  }

  credit(chunks: number): void {
    if (this.#pump === undefined) this.#credit += chunks;
    else this.#pump.credit(chunks);
  }

  /** The client is gone. */
  cancel(): void {
    if (this.#phase === "done") return;
    const gone = requestErrors.clientGone();
    this.#run?.abandon(gone);
    if (this.#pump === undefined) this.#finish();
    else this.#pump.cancel(gone);
  }

  /** The connect hooks and the handler, as one entry of a serial actor: its body may flow on behind it. */
  async #inTurn(handler: Hook): Promise<unknown> {
    const entry = await entriesOf(this.#activation)?.enter({});
    try {
      await this.#connect(entry?.chain);
      if (this.#phase === "asked") return await this.#respond(handler, entry);
    } catch (cause) {
      if (this.#run === undefined) entry?.end();
      throw cause;
    }
    entry?.end();
    return undefined;
  }

  async #connect(chain: CallChain | undefined): Promise<void> {
    const { connections, behaviour } = this.#activation;
    if (behaviour.plainConnections) return;
    this.#connection = await connections.open(
      { params: this.#asked.params, request: () => this.#bare() },
      chain,
    );
    // The client was gone before the hooks were done.
    if (this.#phase === "done") await this.#connection.end();
  }

  async #respond(handler: Hook, entry: Entry | undefined): Promise<unknown> {
    const activation = this.#activation;
    const { params } = this.#asked;
    let request: Request | undefined;
    const run = new CallRun(activation, {
      connection: this.#connection,
      params,
      request: () => request ?? this.#bare(),
      chain: entry?.chain,
    });
    this.#run = run;
    request = this.#request(run.abortSignal);
    const given = request;
    const handled = (): unknown => asHook(activation, "onRequest", () => handler(run.context, given));
    const result = start(() => activation.enter(handled, run));
    // Its code may go on when it took too long: until it has ended nobody else is let in.
    const over = (): void => entry?.end();
    result.then(over, over);
    return await this.#timed(result, run);
  }

  /** The request without its body, for the connect hooks. */
  #bare(): Request {
    const { method, url, headers } = this.#asked.head;
    return new Request(url, { method, headers: headersOf(headers) });
  }

  #timed(result: Promise<unknown>, run: CallRun): Promise<unknown> {
    const { env, descriptor } = this.#activation;
    const timeoutMs = descriptor.options.onRequestTimeout;
    return withTimeout(env, result, timeoutMs, () => {
      const error = actorErrors.hookTimedOut("onRequest", timeoutMs);
      run.abandon(error);
      // Nobody reads what comes of it now.
      result.then(drop, () => {});
      return error;
    });
  }

  #request(signal: AbortSignal): Request {
    const { head, body } = this.#asked;
    const init = { method: head.method, headers: headersOf(head.headers), signal };
    if (body === undefined) return new Request(head.url, init);
    // `duplex` is asked for by fetch's standard, and not in the types of all platforms.
    const streaming = { ...init, body: streamOf(body), duplex: "half" };
    return new Request(head.url, streaming);
  }

  /** The handler's answer goes on its way. Throws `request.*`. */
  #answer(response: unknown): void {
    if (!isResponse(response)) throw requestErrors.notAResponse();
    const { status } = response;
    const headers = [...response.headers].map(([name, value]) => [name, value] as const);
    const body = this.#bodyOf(response);
    this.#phase = "answering";
    const said = new FunctionOutput(
      headers.reduce((bytes, [name, value]) => bytes + name.length + value.length, 64),
      () => this.#asked.peer.head({ status, headers }),
      (error) => this.#asked.refused(notRetryable(error)),
    );
    const pump = new Pump<Uint8Array>({
      activation: this.#activation,
      running: bodyFlow(this.#activation, this.#run),
      source: body,
      silenceMs: Infinity,
      timedOut: () => undefined,
      ended: () => this.#finish(),
    });
    this.#pump = pump;
    this.#activation.emit(said);
    pump.credit(this.#credit);
    pump.start(this.#sink());
  }

  #bodyOf(response: AnyResponse): AnswerBody {
    const none = this.#asked.head.method === "HEAD" || bodiless.has(response.status);
    if (none) drop(response);
    else if (response.bodyUsed) throw requestErrors.badResponse("its body was read already");
    return new AnswerBody(none ? null : response.body);
  }

  #sink(): FlowSink<Uint8Array> {
    const { peer } = this.#asked;
    const lost = (error: TroupeError): void => peer.reset(error);
    return {
      item: (bytes) => new FunctionOutput(bytes.byteLength, () => peer.chunk(bytes), lost),
      end: () => new FunctionOutput(16, () => peer.end(), lost),
      error: (cause) => {
        const error = TroupeError.is(cause) ? cause : requestErrors.bodyFailed(cause);
        if (error !== cause)
          this.#activation.log.error("the body of an answer failed; the client's connection is broken", {
            cause,
          });
        return new FunctionOutput(64, () => peer.reset(error), lost);
      },
    };
  }

  /** What refuses may depend on what isn't durable yet. */
  #refuse(cause: unknown): void {
    if (this.#phase !== "asked") return;
    this.#run?.abandon(cause);
    void leaveFlow(this.#activation, this.#run);
    const { refused } = this.#asked;
    const said = new FunctionOutput(
      64,
      () => refused(cause),
      (error) => refused(notRetryable(error)),
    );
    this.#finish();
    this.#activation.emit(said);
  }

  #finish(): void {
    if (this.#phase === "done") return;
    this.#phase = "done";
    this.#forget();
    this.#asked.body?.cancel();
    this.#run?.release();
    void this.#connection?.end();
    this.#activation.work.end("request");
  }
}

/** Statuses whose answers have no body: RFC 9110, 6.4.1. */
const bodiless: ReadonlySet<number> = new Set([101, 204, 205, 304]);

function headersOf(list: RawHttpRequest["head"]["headers"]): [string, string][] {
  return list.map(([name, value]) => [name, value]);
}

/** What `first` returns or throws, as a promise; it runs at once. */
async function start(first: () => unknown): Promise<unknown> {
  return await first();
}

function streamOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const bytes = await source.read();
        if (bytes === undefined) controller.close();
        else controller.enqueue(new Uint8Array(bytes));
      },
      cancel: () => source.cancel(),
    },
    // Nothing is read before the handler asks for it.
    { highWaterMark: 0 },
  );
}

/** Nobody reads this answer. */
function drop(response: unknown): void {
  if (isResponse(response) && response.body?.locked === false)
    void new AnswerBody(response.body).return().catch(() => {});
}
