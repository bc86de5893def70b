/**
 * Calls as they come in by each door. A call is one object: the call, the reply that encodes its end, and the output
 * that carries it through the gate.
 */
import type { Clock, TroupeError } from "@troupe/base";
import {
  bytesPast,
  type CallTerms,
  type Encoding,
  encodeActionAnswer,
  encodeReply,
  encodeServerFrame,
  limits,
  type Message,
  type SendOptions,
  STREAM_TYPES,
  TRACEPARENT_HEADER,
  toWireError,
} from "@troupe/protocol";
import { messageErrors, notRetryable, requestErrors, retryable } from "../errors.ts";
import { unstarted } from "../host/failed-starts.ts";
import { logFieldsOf, type Target } from "../host/target.ts";
import type { ActorRecord } from "../ports/directory.ts";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { ActionCall, ActorConnection, ActorInstance, Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import type { Abandoned } from "../ports/running-call.ts";
import { traceOfHeader } from "../traced/tracing.ts";
import { type CallFigures, type CallOutcome, outcomeOf } from "./call-figures.ts";
import { HttpFlow, SocketFlow } from "./call-flows.ts";
import {
  errorResponse,
  type GatewayRequest,
  type GatewayResponse,
  okResponse,
  type Respond,
} from "./http-message.ts";
import { leftToNext } from "./passing.ts";
import type { SocketStreams } from "./socket-streams.ts";

/** Told of errors that their callers don't get to see; gives the id of the line in the log, if there is one. */
export type ReportInternal = (
  error: unknown,
  context: Readonly<Record<string, unknown>>,
) => string | undefined;

/** A caller's HTTP request. */
export class HttpCall extends Output implements ActionCall, Reply {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly params: unknown;
  readonly request: () => Request;
  readonly connection = undefined;
  readonly send: SendOptions | undefined;
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ticket: string | undefined;
  readonly #client: Pick<GatewayRequest, "onGone" | "header">;
  readonly #encoding: Encoding;
  readonly #respond: Respond;
  readonly #report: ReportInternal;
  readonly #target: Target;
  readonly #figures: CallFigures;
  readonly #came: number;
  #outcome: CallOutcome = "ok";
  #actor: ActorRecord | undefined;
  #response: GatewayResponse | undefined;

  constructor(options: {
    target: Target;
    name: string;
    args: readonly unknown[];
    params: unknown;
    request: () => Request;
    terms: CallerTerms | undefined;
    /** Tells that the client is gone, and whose trace this is a part of. */
    client: Pick<GatewayRequest, "onGone" | "header">;
    encoding: Encoding;
    respond: Respond;
    report: ReportInternal;
    figures: CallFigures;
    send?: SendOptions | undefined;
  }) {
    super();
    this.#target = options.target;
    this.#figures = options.figures;
    this.#came = options.figures.now();
    this.send = options.send;
    this.until = options.terms?.until;
    this.idempotencyKey = options.terms?.idempotencyKey;
    this.ticket = options.terms?.ticket;
    this.#client = options.client;
    this.name = options.name;
    this.args = options.args;
    this.params = options.params;
    this.request = options.request;
    this.#encoding = options.encoding;
    this.#respond = options.respond;
    this.#report = options.report;
  }

  get reply(): Reply {
    return this;
  }

  get trace(): string | undefined {
    return traceOfHeader(this.#client.header(TRACEPARENT_HEADER));
  }

  /** The actor is found: it gets the call. */
  start(instance: ActorInstance): void {
    this.#actor = instance.record;
    instance.action(this);
  }

  get bytes(): number {
    return this.#response?.body.length ?? 0;
  }

  /** A client that is gone waits no longer; one that gave a key may be about to send it again. */
  onAbandoned(listener: Abandoned): void {
    if (this.idempotencyKey === undefined) this.#client.onGone?.(() => listener(requestErrors.clientGone()));
  }

  ok(output: unknown): Output {
    const body = encodeActionAnswer(output, this.#encoding);
    checkOutgoing(body, limits.outgoingMessageBytes);
    this.#response = okResponse(body, this.#encoding);
    return this;
  }

  error(error: unknown): Output {
    this.#response = this.#refusal(error);
    return this;
  }

  /** The actor's code begins. */
  began(): void {
    if (this.send === undefined) this.#figures.began(this.#came);
  }

  flow(control: FlowControl): FlowSink<unknown> {
    this.#ended("stream");
    const headers = { "content-type": STREAM_TYPES[this.#encoding] };
    return new HttpFlow({
      encoding: this.#encoding,
      control,
      check: (bytes) => checkOutgoing(bytes, limits.outgoingMessageBytes),
      begin: (stream) => this.#respond({ status: 200, headers, body: "", stream }),
      refuse: (error) => this.#respond(this.#refusal(error)),
      report: (error) => this.#reported(error),
    });
  }

  release(): void {
    if (this.#response === undefined) return;
    this.#ended(this.#outcome);
    this.#respond(this.#response);
  }

  fail(error: TroupeError): void {
    this.#respond(this.#refusal(failure(error, this.send)));
    this.#ended(this.#outcome);
  }

  #ended(outcome: CallOutcome): void {
    if (this.send === undefined) this.#figures.ended(this.#actor, "http", outcome, this.#came);
  }

  #refusal(error: unknown): GatewayResponse {
    this.#outcome = outcomeOf(error);
    this.#actor ??= unstarted(error);
    return errorResponse(error, this.#encoding, this.#reported(error));
  }

  #reported(error: unknown): string | undefined {
    const actor = this.#actor === undefined ? logFieldsOf(this.#target) : recordFields(this.#actor);
    return this.#report(error, { ...actor, action: this.name });
  }
}

/** What a caller says of its call, by this host's clock. */
export interface CallerTerms {
  /** Monotonic. */
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ticket?: string | undefined;
}

/** The terms of a call that arrives now. */
export function termsNow(
  { timeoutMs, idempotencyKey, ticket }: CallTerms,
  clock: Pick<Clock, "monotonic">,
): CallerTerms {
  const until = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
  return { until, idempotencyKey, ticket };
}

/** Where the messages of one socket go. */
export interface MessageSink {
  readonly encoding: Encoding;
  post(message: Message): void;
  /** An action of this socket has its answer. */
  answered(id: number): void;
  /** An action of this socket wants to be told when its caller waits no longer. */
  pends(id: number, listener: Abandoned): void;
  /** The activation ends, and leaves a call to the next one. False: there is none, or the client goes with this one. */
  putBack(call: SocketCall): boolean;
  /** The results that come in items. */
  readonly streams: SocketStreams;
}

/** A message to one socket, on its way through the gate. */
export class MessageOutput extends Output {
  readonly #sink: Pick<MessageSink, "post">;
  readonly #message: Message;
  readonly #failed: ((error: TroupeError) => void) | undefined;

  constructor(sink: Pick<MessageSink, "post">, message: Message, failed?: (error: TroupeError) => void) {
    super();
    this.#sink = sink;
    this.#message = message;
    this.#failed = failed;
  }

  get bytes(): number {
    return this.#message.length;
  }

  release(): void {
    this.#sink.post(this.#message);
  }

  fail(error: TroupeError): void {
    this.#failed?.(error);
  }
}

/** An action frame of a socket. */
export class SocketCall extends Output implements ActionCall, Reply {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly connection: ActorConnection;
  readonly send: SendOptions | undefined;
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ticket: string | undefined;
  /** When a sender that waits for its reply gives up, monotonic. */
  readonly waitsUntil: number | undefined;
  readonly #actor: ActorRecord;
  readonly #sink: MessageSink;
  readonly #report: ReportInternal;
  readonly #figures: CallFigures;
  readonly #came: number;
  #outcome: CallOutcome = "ok";
  #message: Message = "";
  #begun = false;
  #handed = false;
  #isBack = false;

  constructor(options: {
    id: number;
    actor: ActorRecord;
    name: string;
    args: readonly unknown[];
    connection: ActorConnection;
    terms: CallerTerms | undefined;
    sink: MessageSink;
    report: ReportInternal;
    figures: CallFigures;
    send?: SendOptions | undefined;
    waitsUntil?: number | undefined;
  }) {
    super();
    this.id = options.id;
    this.send = options.send;
    this.until = options.terms?.until;
    this.idempotencyKey = options.terms?.idempotencyKey;
    this.ticket = options.terms?.ticket;
    this.waitsUntil = options.waitsUntil;
    this.#actor = options.actor;
    this.name = options.name;
    this.args = options.args;
    this.connection = options.connection;
    this.#sink = options.sink;
    this.#report = options.report;
    this.#figures = options.figures;
    this.#came = options.figures.now();
  }

  get reply(): Reply {
    return this;
  }

  get bytes(): number {
    return this.#message.length;
  }

  /** Its message is in the queue: what is left is to wait for the reply. */
  get waits(): boolean {
    return this.#begun && this.send?.ticket !== undefined;
  }

  /** The actor has it; its code may have begun. */
  handed(): void {
    this.#handed = true;
  }

  began(): void {
    this.#begun = true;
    if (this.send !== undefined) return;
    // Most begin while they are handed on: that needs no look at the clock.
    if (this.#handed) this.#figures.began(this.#came);
    else this.#figures.waits.note(0);
  }

  onAbandoned(listener: Abandoned): void {
    this.#sink.pends(this.id, listener);
  }

  ok(output: unknown): Output {
    const message = encodeReply(this.id, output, this.#sink.encoding);
    checkOutgoing(message, this.connection.maxOutgoingBytes);
    this.#message = message;
    return this;
  }

  error(error: unknown): Output {
    this.#isBack = leftToNext(error) && this.#sink.putBack(this);
    if (!this.#isBack) this.#message = this.#encodeError(error);
    return this;
  }

  flow(control: FlowControl): FlowSink<unknown> {
    this.#ended("stream");
    const sink = this.#sink;
    const { id } = this;
    sink.streams.begin(id, control);
    return new SocketFlow({
      id,
      encoding: sink.encoding,
      post: (message) => sink.post(message),
      check: (message) => checkOutgoing(message, this.connection.maxOutgoingBytes),
      encodeError: (error) => this.#encodeError(error),
      // A cancel has counted it as answered already.
      ended: () => sink.streams.end(id) && sink.answered(id),
    });
  }

  release(): void {
    if (this.#isBack) return;
    this.#ended(this.#outcome);
    this.#sink.answered(this.id);
    this.#sink.post(this.#message);
  }

  fail(error: TroupeError): void {
    if (this.#isBack) return;
    this.#sink.answered(this.id);
    this.#sink.post(this.#encodeError(failure(error, this.send)));
    this.#ended(this.#outcome);
  }

  #ended(outcome: CallOutcome): void {
    if (this.send === undefined) this.#figures.ended(this.#actor, "websocket", outcome, this.#came);
  }

  #encodeError(error: unknown): Message {
    this.#outcome = outcomeOf(error);
    const logId = this.#report(error, { ...recordFields(this.#actor), action: this.name });
    const { metadata, ...bare } = toWireError(error, false, logId);
    const full = metadata === undefined ? bare : { ...bare, metadata };
    const message = encodeServerFrame({ kind: "error", id: this.id, error: full }, this.#sink.encoding);
    if (bytesPast(this.connection.maxOutgoingBytes, message) === undefined) return message;
    return encodeServerFrame({ kind: "error", id: this.id, error: bare }, this.#sink.encoding);
  }
}

/** An actor in a line of the log. */
function recordFields({ name, key, id }: ActorRecord): Readonly<Record<string, unknown>> {
  return { actor: name, key, actorId: id };
}

/** The error of a call whose answer can't leave. A message with a ticket may come again whatever became of it. */
export function failure(error: TroupeError, send: SendOptions | undefined): unknown {
  return send?.ticket === undefined ? notRetryable(error) : retryable(error);
}

function checkOutgoing(message: Message, limit: number): void {
  const bytes = bytesPast(limit, message);
  if (bytes !== undefined) throw messageErrors.outgoingTooLong(bytes, limit);
}
