/**
 * Handle: an actor to call, without a connection. Each call finds the actor anew.
 */
import { TroupeError } from "@troupe/base";
import { type CallTerms, cloneValue } from "@troupe/protocol";
import { termsOf } from "./call-terms.ts";
import { checkOptions } from "./check-options.ts";
import type { Connection } from "./connection/connection.ts";
import type { AnyActorDefinition } from "./contract.ts";
import { clientErrors } from "./errors.ts";
import { actionProxy, type Invoke, MemberProxy } from "./member-proxy.ts";
import { sendToQueue } from "./queue-send.ts";
import { fetchRequest } from "./raw/fetch-request.ts";
import type { UniversalWebSocket } from "./raw/universal-web-socket.ts";
import { CONNECTION_MEMBERS, HANDLE_MEMBERS } from "./reserved-names.ts";
import type { ClientScope } from "./scope.ts";
import { ActionResult } from "./stream/action-result.ts";
import { ResultStream } from "./stream/result-stream.ts";
import type { ActorTarget } from "./transport.ts";
import type {
  ActionCall,
  ActorConn,
  ActorConnectOptions,
  ActorFetchInit,
  ActorHandle,
  ActorHandleRaw,
  QueryOptions,
  QueueSendNoWaitOptions,
  QueueSendOptions,
  QueueSendResult,
  QueueSendWaitOptions,
} from "./types.ts";

/** The members of a handle; `handleOf` adds the actions. */
class Handle implements ActorHandleRaw {
  readonly #scope: ClientScope;
  readonly #target: ActorTarget;
  readonly #options: QueryOptions;

  constructor(scope: ClientScope, target: ActorTarget, options: QueryOptions) {
    this.#scope = scope;
    this.#target = target;
    this.#options = options;
  }

  action<Response = unknown>(call: ActionCall): ActionResult<Response>;
  action<Args extends readonly unknown[], Response>(
    call: ActionCall & { readonly args: Args },
  ): ActionResult<Response>;
  action(call: ActionCall): ActionResult {
    const { name } = call;
    const what = `Action "${name}"`;
    const signals = [call.signal, this.#options.signal];
    let terms: CallTerms;
    let args: readonly unknown[];
    try {
      const { actionTimeoutMs } = this.#scope.settings;
      terms = termsOf(call, { actionTimeoutMs, callTicket: this.#ticket() });
      args = asTheyAre(call.args ?? []);
    } catch (error) {
      return new ActionResult((_, reject) => reject(error));
    }
    const { timeoutMs, idempotencyKey, ticket } = terms;
    const until = this.#scope.settings.env.clock.monotonic() + (timeoutMs ?? Infinity);
    return this.#scope.calls.run({
      what,
      signals,
      idempotent: idempotencyKey !== undefined,
      timeoutMs,
      params: () => this.#params(),
      send: async (attempt) => {
        const { transport } = this.#scope.settings;
        const options = { ...attempt, idempotencyKey, ticket };
        const result = await transport.action(this.#target, name, args, options);
        if (result instanceof ResultStream) this.#scope.keep(result, { what, signals, timeoutMs, until });
        return result;
      },
    });
  }

  send(name: string, body: unknown, options: QueueSendWaitOptions): Promise<QueueSendResult>;
  send(name: string, body: unknown, options?: QueueSendNoWaitOptions): Promise<void>;
  // biome-ignore lint/suspicious/noConfusingVoidType: the overloads above say when it is which
  send(name: string, body: unknown, options: QueueSendOptions = {}): Promise<QueueSendResult | void> {
    const { env, transport, retry } = this.#scope.settings;
    return sendToQueue(name, body, options, {
      env,
      tickets: this.#scope.tickets,
      policy: retry,
      calls: this.#scope.calls,
      signals: [this.#options.signal],
      params: () => this.#params(),
      send: (message, attempt) => transport.send(this.#target, message, attempt),
    });
  }

  resolve(): Promise<string> {
    return this.#target.kind === "id"
      ? Promise.resolve(this.#target.actorId)
      : resolveTarget(this.#scope, this.#target, this.#options);
  }

  connect(params?: unknown, options: ActorConnectOptions = {}): ActorConn<AnyActorDefinition> {
    checkOptions("connect()", options, ["signal", "skipReadyWait", "actionTimeoutMs"]);
    const { signal, actionTimeoutMs } = options;
    const connection = this.#scope.connect(this.#target, {
      params: () => params ?? this.#params(),
      callTicket: params === undefined ? this.#ticket() : undefined,
      signal: eitherOf(this.#options.signal, signal),
      actionTimeoutMs,
    });
    const invoke = (name: string, args: unknown[]): Promise<unknown> => connection.action({ name, args });
    return new Proxy(
      connection,
      actionsOf<Connection>(this.#scope, CONNECTION_MEMBERS, invoke),
    ) as Connection & ActorConn<AnyActorDefinition>;
  }

  async fetch(input: string | URL | Request, init?: ActorFetchInit): Promise<Response> {
    const { raw } = this.#scope.settings.transport;
    if (raw === undefined) throw clientErrors.rawUnsupported("fetch()");
    const request = fetchRequest(input, init);
    const own = [request.init.signal ?? undefined, this.#options.signal];
    return await this.#scope.calls.run({
      what: "fetch()",
      signals: own,
      idempotent: false,
      params: () => this.#params(),
      send: async ({ params, signal: waiting }) => {
        // The answer's body goes on when nobody waits for its head any more, and ends with the caller's signals.
        const signal = AbortSignal.any([waiting, ...own.filter((each) => each !== undefined)]);
        const { path, init: base, replayable } = request;
        const sent = { path, init: { ...base, signal }, params };
        try {
          return await raw.fetch(await this.#withoutInput(), sent);
        } catch (error) {
          throw replayable ? error : onceOnly(error);
        }
      },
    });
  }

  async webSocket(path = "", protocols: string | readonly string[] = []): Promise<UniversalWebSocket> {
    this.#scope.checkOpen();
    const { raw } = this.#scope.settings.transport;
    if (raw === undefined) throw clientErrors.rawUnsupported("webSocket()");
    const { signal } = this.#options;
    const params = await this.#params();
    const target = await this.#withoutInput();
    if (signal?.aborted === true) throw clientErrors.aborted("webSocket()", "not_sent", signal.reason);
    const offered = typeof protocols === "string" ? [protocols] : protocols;
    const socket = raw.webSocket(target, { path, protocols: offered, params });
    const abort = (): void => socket.close();
    signal?.addEventListener("abort", abort);
    socket.addEventListener("close", () => signal?.removeEventListener("abort", abort));
    return socket;
  }

  async getGatewayUrl(): Promise<string> {
    this.#scope.checkOpen();
    const { raw } = this.#scope.settings.transport;
    if (raw === undefined) throw clientErrors.rawUnsupported("getGatewayUrl()");
    return raw.address(await this.resolve());
  }

  async reload(): Promise<void> {
    const { transport } = this.#scope.settings;
    if (transport.reload === undefined)
      throw clientErrors.unsupported("reload()", "a dynamic actor loads its source whenever it wakes");
    await this.#scope.calls.run({
      what: "reload()",
      signals: [this.#options.signal],
      // As often as it comes: what sleeps has nothing to end.
      idempotent: true,
      params: () => undefined,
      send: ({ signal }) => transport.reload?.(this.#target, { signal }) ?? Promise.resolve(),
    });
  }

  /** An address has no place for an input: the actor is created first, and is known by its id then. */
  async #withoutInput(): Promise<ActorTarget> {
    const target = this.#target;
    if (target.kind === "id" || target.input === undefined) return target;
    return { kind: "id", name: target.name, actorId: await this.resolve() };
  }

  /** Names a call whose attempts may have different parameters. */
  #ticket(): (() => string) | undefined {
    const { params, getParams = this.#scope.settings.getParams } = this.#options;
    return params === undefined && getParams !== undefined ? () => this.#scope.tickets.next() : undefined;
  }

  #params(): unknown {
    return paramsOf(this.#scope, this.#options);
  }
}

/**
 * The arguments as they are at the call: it is sent later, maybe more than once, and what its caller changes meanwhile
 * isn't part of it. Throws `value.*`.
 */
function asTheyAre(args: readonly unknown[]): readonly unknown[] {
  // An array of the caller's own too, but most calls have nothing that can change, and cost nothing here.
  return args.some(canChange) ? cloneValue(args, "args") : [...args];
}

function canChange(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function eitherOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other]);
}

/** The same error for a request whose body is used up: it can't be sent again. */
function onceOnly(error: unknown): unknown {
  if (!TroupeError.is(error) || !error.retryable) return error;
  const { group, code, message, statusCode, cause } = error;
  return new TroupeError(group, code, message, { statusCode, cause });
}

/** A handle with the actions of its actor. */
export function handleOf<AD extends AnyActorDefinition>(
  scope: ClientScope,
  target: ActorTarget,
  options: QueryOptions = {},
): ActorHandle<AD> {
  const handle = new Handle(scope, target, options);
  const invoke = (name: string, args: unknown[]): Promise<unknown> => handle.action({ name, args });
  return new Proxy(handle, actionsOf<Handle>(scope, HANDLE_MEMBERS, invoke)) as Handle & ActorHandle<AD>;
}

/** The members of `C`, and actions under all other names. */
function actionsOf<C extends object>(
  scope: ClientScope,
  members: readonly (keyof C)[],
  invoke: Invoke,
): MemberProxy<C> {
  const call: Invoke = (name, args) => scope.handed(invoke(name, args), name);
  return new MemberProxy<C>(members, (name) => actionProxy(name, call), scope.handed);
}

/** The id of an actor by key. To find, or find or create, is safe to repeat; to create is not. */
export function resolveTarget(
  scope: ClientScope,
  target: ActorTarget,
  options: QueryOptions,
): Promise<string> {
  const creates = target.kind === "key" && target.method === "create";
  return scope.calls.run({
    what: creates ? `The creation of actor "${target.name}"` : `The search for actor "${target.name}"`,
    signals: [options.signal],
    idempotent: !creates,
    params: () => paramsOf(scope, options),
    send: ({ params, signal }) => scope.settings.transport.resolve(target, { params, signal }),
  });
}

function paramsOf(scope: ClientScope, options: QueryOptions): unknown {
  if (options.params !== undefined) return options.params;
  const getParams = options.getParams ?? scope.settings.getParams;
  return getParams?.();
}
