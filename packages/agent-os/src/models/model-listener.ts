/**
 * ModelListener: where agents find their models: a proxy on a loopback address, through which the relay sees what they say to each other.
 * Each session has an address of its own, with its token in the path ({@link AgentListener}).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TroupeError } from "@troupe/base";
import {
  callModel,
  type ModelCaller,
  type ModelRoute,
  mayAsk,
  onlyReads,
  type Provider,
  passThrough,
  pathOf,
  providerOf,
  readable,
  sendJson,
  type Upstreams,
} from "@troupe/relay/model-proxy";
import { AgentListener } from "../acp/agent-listener.ts";
import { modelErrors } from "../errors.ts";

const ADDRESS = /^\/t\/(?<token>[\w-]+)(?<rest>\/.*)$/;
/** Nobody counts here: a relay's exporters do. */
const metrics = { held: () => undefined };

/** What becomes of a request that may ask a model, and that no guardrail would see. */
export type UnknownPaths = "refuse" | "pass";

/** One session, as the listener sees it. */
export interface ModelUser {
  readonly sessionId: string;
  /** Under whose middleware its model is called now. */
  readonly caller: () => ModelCaller;
}

/** A session's way to its models. */
export interface ModelAccess extends Disposable {
  readonly url: string;
}

/** The listener of one activation. */
export class ModelListener {
  readonly #upstreams: Upstreams;
  readonly #unknownPaths: UnknownPaths;
  // A body may take as long as it likes, as the answer may.
  readonly #listener = new AgentListener<ModelUser>({
    serve: (request, response) => this.#serve(request, response),
    options: { requestTimeout: 0 },
  });

  constructor(upstreams: Upstreams, unknownPaths: UnknownPaths) {
    this.#upstreams = upstreams;
    this.#unknownPaths = unknownPaths;
  }

  /** Lets one session in, until it is disposed of. */
  async open(user: ModelUser): Promise<ModelAccess> {
    const admission = await this.#listener.admit(user);
    const { origin, token } = admission;
    return { url: `${origin}/t/${token}`, [Symbol.dispose]: () => admission[Symbol.dispose]() };
  }

  /** Ends it; requests that run lose their connection. */
  async close(): Promise<void> {
    await this.#listener.close();
    await this.#upstreams.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token = "", rest = "" } = ADDRESS.exec(request.url ?? "")?.groups ?? {};
    const user = this.#listener.caller(token, request);
    if (user === undefined) return refuse(response, modelErrors.tokenRequired(), undefined);
    request.url = rest;
    const { sessionId: session, caller } = user;
    const route = { relay: caller(), upstreams: this.#upstreams, metrics, session };
    let provider: Provider | undefined;
    try {
      const path = pathOf(rest);
      provider = onlyReads(request) ? undefined : providerOf(path);
      if (provider === undefined) return await this.#pass(route, path, request, response);
      if (request.method !== "POST") throw modelErrors.methodNotAllowed(request.method ?? "");
      await callModel(route, provider, request, response);
    } catch (cause) {
      refuse(response, readable(cause), provider);
    }
  }

  async #pass(
    route: ModelRoute,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (this.#unknownPaths === "refuse" && mayAsk(path, request)) throw modelErrors.unknownPath(path);
    await passThrough(route, path, request, response);
  }
}

function refuse(response: ServerResponse, error: TroupeError, provider: Provider | undefined): void {
  // A body that wasn't read to its end can't be followed by another request.
  if (!response.headersSent) response.setHeader("connection", "close");
  const { group, code, message, statusCode } = error;
  sendJson(response, statusCode, provider?.errorBody(error) ?? { error: { group, code, message } });
}
