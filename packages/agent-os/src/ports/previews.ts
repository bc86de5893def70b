/**
 * Previews: addresses under which anybody who has one reaches a port of the sandbox, until it expires or is taken back.
 *
 * An address has a token of 192 random bits in it. The state keeps the tokens' digests: who reads the database can't use them. A preview
 * outlives a sleep; who asks for it wakes the actor, boots the sandbox, and finds whoever listens there then.
 *
 * What a preview serves is somebody's program under the gateway's own origin. It is told to the browser as such: a sandboxed page of no
 * origin, which can't read what else the gateway serves, nor set cookies; and it isn't sent the caller's.
 *
 * A WebSocket at such an address is one to the port. It ends when the address does: nobody goes on by an address that is nobody's.
 */
import { createHash, randomBytes } from "node:crypto";
import { closeCodes, limits } from "@troupe/protocol";
import type { UniversalWebSocket } from "@troupe/runtime";
import { sandboxErrors } from "../errors.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { portErrors } from "./errors.ts";
import { checkPort } from "./fetch-port.ts";
import { answerHeaders, requestPort } from "./port-request.ts";
import { PortSocket } from "./port-socket.ts";

/** Previews by the digests of their tokens. */
export interface PreviewState {
  previews?: Record<string, { readonly port: number; readonly expiresAt: number }>;
}

/** A preview's address. */
export interface PreviewUrl {
  /** Behind the actor's `getGatewayUrl()`. */
  readonly path: string;
  readonly token: string;
  readonly port: number;
  /** Wall clock, milliseconds. */
  readonly expiresAt: number;
}

/** What previews need of their actor. */
export interface PreviewsParts {
  readonly state: () => PreviewState;
  readonly sandbox: () => Promise<Sandbox>;
  /** Somebody may listen in the sandbox. */
  readonly hasPorts: boolean;
}

const ROUTE = /\/fetch\/(?<token>[0-9a-f]{48})(?<path>\/[^?#]*)?$/;
/** Not for a program in the sandbox: they are the gateway's. */
const callersOwn = /^(?:authorization|cookie|forwarded|origin|referer|x-forwarded-.*|troupe-.*)$/i;
/**
 * What would reach beyond the answer itself: cookies, rights, and what a browser keeps for the whole origin: where it reports to, where else the
 * origin is, what is sent with each request, who is logged in.
 */
const notItsOwn = new RegExp(
  `^(?:${[
    "set-cookie2?",
    "clear-site-data",
    "content-security-policy.*",
    "service-worker-allowed",
    "strict-transport-security",
    "public-key-pins.*",
    "expect-ct",
    "nel",
    "report-to",
    "reporting-endpoints",
    "alt-svc",
    "accept-ch.*",
    "critical-ch",
    "origin-agent-cluster",
    "origin-trial",
    "use-as-dictionary",
    "set-login",
    "activate-storage-access",
    "(?:secure|sec)-session-.*",
    "attribution-reporting-.*",
    "observe-browsing-topics",
    "troupe-.*",
    "access-control-.*",
  ].join("|")})$`,
  "i",
);
/** Who listens inside may say another, which nobody can be told. */
const LAST_STATUS = 599;
const SANDBOXED = "sandbox allow-scripts allow-forms allow-modals allow-popups";

/** The previews of one actor. */
export class Previews {
  readonly #parts: PreviewsParts;
  /** Those that are open, by the digest of the token that they were opened with. */
  readonly #sockets = new Map<string, Set<PortSocket>>();

  constructor(parts: PreviewsParts) {
    this.#parts = parts;
  }

  /** Throws `port.too_many_previews`, `sandbox.invalid_argument`, `sandbox.no_ports`. */
  create(port: number, expiresInSeconds: number = limits.previewDefaultS): PreviewUrl {
    checkPort(port);
    if (!this.#parts.hasPorts) throw sandboxErrors.noPorts();
    if (!(expiresInSeconds > 0 && expiresInSeconds <= limits.previewLongestS))
      throw sandboxErrors.invalidArgument(
        "expiresInSeconds",
        `a number above 0, up to ${limits.previewLongestS}`,
      );
    const now = Date.now();
    const known = Object.entries(this.#parts.state().previews ?? {});
    const live = known.filter(([, { expiresAt }]) => expiresAt > now);
    if (live.length >= limits.previews) throw portErrors.tooManyPreviews(limits.previews);
    const token = randomBytes(24).toString("hex");
    const expiresAt = now + Math.round(expiresInSeconds * 1_000);
    this.#parts.state().previews = { ...Object.fromEntries(live), [digestOf(token)]: { port, expiresAt } };
    return { path: `/request/fetch/${token}`, token, port, expiresAt };
  }

  /** The address is nobody's any more. True when it was somebody's. */
  expire(token: string): boolean {
    const digest = digestOf(String(token));
    const { [digest]: gone, ...rest } = this.#parts.state().previews ?? {};
    if (gone === undefined) return false;
    this.#parts.state().previews = rest;
    this.#over(digest);
    return gone.expiresAt > Date.now();
  }

  /** True when a request is for a preview that there is: whoever has its address needs no other leave. */
  admits(request: Request | undefined): boolean {
    return request !== undefined && this.#find(request) !== undefined;
  }

  async answer(request: Request): Promise<Response> {
    const found = this.#find(request);
    if (found === undefined)
      return new Response("There is no such preview, or it has expired.\n", { status: 404 });
    const answer = await requestPort(await this.#parts.sandbox(), {
      port: found.port,
      path: pathOf(request),
      method: request.method,
      headers: headersOf(request),
      body: request.body ?? undefined,
      signal: request.signal,
    });
    const headers = new Headers(answerHeaders(answer).filter(([name]) => !notItsOwn.test(name)));
    headers.set("content-security-policy", SANDBOXED);
    headers.set("referrer-policy", "no-referrer");
    const { statusCode: status = 502, statusMessage: statusText = "" } = answer;
    if (status > LAST_STATUS) {
      answer.destroy();
      throw portErrors.answerInvalid(found.port, `its status is ${status}`);
    }
    const bodiless = status === 204 || status === 205 || status === 304 || request.method === "HEAD";
    if (bodiless) answer.resume();
    return new Response(bodiless ? null : streamOf(answer), { status, statusText, headers });
  }

  /** Settles when messages pass, or the socket is closed because they can't. Never rejects. */
  async accept(websocket: UniversalWebSocket, request: Request): Promise<void> {
    const found = this.#find(request);
    if (found === undefined) {
      const { group, code } = portErrors.noPreview();
      websocket.close(closeCodes.policy, `${group}.${code}`);
      return;
    }
    const { digest, port, expiresAt } = found;
    const socket = new PortSocket(websocket, port);
    const open = this.#sockets.get(digest) ?? new Set();
    this.#sockets.set(digest, open.add(socket));
    const expiry = setTimeout(() => this.#over(digest), expiresAt - Date.now());
    websocket.addEventListener("close", () => {
      clearTimeout(expiry);
      open.delete(socket);
      if (open.size === 0 && this.#sockets.get(digest) === open) this.#sockets.delete(digest);
    });
    const headers = headersOf(request);
    await socket.join(this.#parts.sandbox, {
      port,
      path: pathOf(request),
      headers,
      protocol: websocket.protocol,
    });
  }

  /** An address is nobody's any more, and neither are its sockets. */
  #over(digest: string): void {
    for (const socket of this.#sockets.get(digest) ?? [])
      socket.end(portErrors.noPreview(), closeCodes.policy);
  }

  #find(
    request: Request,
  ): { readonly digest: string; readonly port: number; readonly expiresAt: number } | undefined {
    const token = ROUTE.exec(new URL(request.url).pathname)?.groups?.token;
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    const preview = this.#parts.state().previews?.[digest];
    return preview !== undefined && preview.expiresAt > Date.now() ? { digest, ...preview } : undefined;
  }
}

/** Path and query for the port. */
function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return `${ROUTE.exec(pathname)?.groups?.path ?? "/"}${search}`;
}

function headersOf(request: Request): Record<string, string> {
  return Object.fromEntries([...request.headers].filter(([name]) => !callersOwn.test(name)));
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Read as its reader takes it. */
function streamOf(answer: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const chunks = answer[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(Uint8Array.from(value));
    },
    cancel: async () => void (await chunks.return?.()),
  });
}
