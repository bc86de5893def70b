/**
 * Who may speak to a gateway at all.
 *
 * A gateway on a loopback address is reachable by every program of the machine, and by every web page that the user
 * has open: a page can send requests to 127.0.0.1, and by DNS rebinding also under a name of its own. So the Host must
 * be a loopback name and an Origin, where there is one, must be loopback too. Any other binding needs both lists and a
 * way of authentication, said by name; `config.unsafe_bind` else.
 */
import type { Env } from "@troupe/base";
import { TOKEN_SUBPROTOCOL_PREFIX } from "@troupe/protocol";
import { gatewayErrors, serverErrors, setupErrors } from "../errors.ts";
import { hostOf, originOf } from "./access-lists.ts";
import { carried } from "./subprotocols.ts";

/** `setup({ … })`: who may come in. */
export interface AccessConfig {
  /** Host names (without port) that requests may be for; loopback names when absent. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins (`https://app.example`) whose pages may call; loopback ones when absent. `["*"]`: any. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** `"token"`: every request shows the token. `"application"`: each actor's `onBeforeConnect` decides. */
  readonly auth?: "token" | "application" | undefined;
  /** The token; needed for `auth: "token"`, and for /metrics in any case. */
  readonly token?: string | undefined;
}

/** What the check reads of a request. */
export interface AccessRequest {
  /** The Host header; nothing when there is none, or more than one. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** The offered WebSocket subprotocols, as the header has them. */
  readonly subprotocols: string | undefined;
  /** OPTIONS: a browser asks whether a page may call, and shows no token. */
  readonly preflight?: boolean;
  /** A remote host opens its link: its first message shows a token of its own. */
  readonly remoteHost?: boolean;
  /** True for the inspector's addresses: where it is on, it asks for a token of its own. */
  readonly inspector?: boolean;
  /** True for /livez and /readyz: whoever watches a process has no token, and names it as it likes. */
  readonly probe?: boolean;
}

const loopbackHosts: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "::1" || loopbackHosts.has(host);
}

/** Throws `config.unsafe_bind` unless binding to `host` is safe under `config`. */
export function checkBind(host: string, config: AccessConfig): void {
  if (isLoopback(host)) return;
  const { allowedHosts, allowedOrigins, auth } = config;
  if (!allowedHosts || !allowedOrigins || !auth) throw setupErrors.unsafeBind(host);
}

/** An address of a socket that only this machine reaches: all of 127.0.0.0/8, also as IPv6 has it. */
const loopbackAddress = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/i;

/** Throws `config.unsafe_bind` unless only this machine reaches the `address` at which a server without `auth` took a socket. */
export function checkServer(address: string): void {
  if (!loopbackAddress.test(address)) throw setupErrors.unsafeServer(address);
}

/** The rules of one gateway. */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #token: Uint8Array | undefined;
  readonly #tokenAlways: boolean;
  readonly #inspected: boolean;
  readonly #crypto: Env["crypto"];
  /** The header that was allowed last: nearly all requests bring the same one. */
  #lastAllowed: string | undefined;

  /** `inspector`: "on" when there is one at its addresses. */
  constructor(config: AccessConfig, crypto: Env["crypto"], inspector: "on" | "off" = "off") {
    this.#hosts = config.allowedHosts
      ? new Set(config.allowedHosts.map((host) => hostOf(host) ?? host))
      : loopbackHosts;
    this.#origins =
      config.allowedOrigins && new Set(config.allowedOrigins.map((origin) => originOf(origin) ?? origin));
    this.#token = config.token === undefined ? undefined : utf8.encode(config.token);
    this.#tokenAlways = config.auth === "token";
    this.#inspected = inspector === "on";
    this.#crypto = crypto;
  }

  /** True when the `authorization` header is the gateway's own, and nobody else's business. */
  get takesAuthorization(): boolean {
    return this.#tokenAlways;
  }

  /** Throws `gateway.host_not_allowed`, `gateway.origin_not_allowed`, `gateway.unauthorized`. */
  check(request: AccessRequest): void {
    if (request.probe === true) return;
    const { host = "" } = request;
    if (!this.hostAllowed(host)) throw serverErrors.hostNotAllowed(hostName(host) ?? host);
    if (request.origin !== undefined && !this.originAllowed(request.origin)) {
      throw serverErrors.originNotAllowed(request.origin);
    }
    if (!this.#tokenAlways || request.preflight === true || request.remoteHost === true) return;
    if (!this.#inspected || request.inspector !== true) this.checkToken(request);
  }

  /** Throws `gateway.unauthorized` unless the request shows the token. */
  checkToken(request: AccessRequest): void {
    const shown = shownToken(request);
    if (this.#token === undefined)
      throw gatewayErrors.unauthorized("A token is needed, and there is none yet: setup({ token }) sets it");
    if (shown === undefined) throw gatewayErrors.unauthorized();
    if (!this.#crypto.timingSafeEqual(utf8.encode(shown), this.#token))
      throw gatewayErrors.unauthorized("This token isn't the right one");
  }

  /** True when requests may be for this host: a Host header, with or without a port. */
  hostAllowed(header: string | undefined): boolean {
    if (header === undefined) return false;
    if (header === this.#lastAllowed) return true;
    const host = hostName(header);
    if (host === undefined || !this.#hosts.has(host)) return false;
    this.#lastAllowed = header;
    return true;
  }

  /** True when pages of this origin may call. */
  originAllowed(origin: string): boolean {
    if (this.#origins !== undefined) return this.#origins.has(origin) || this.#origins.has("*");
    if (!URL.canParse(origin)) return false;
    return loopbackHosts.has(new URL(origin).hostname);
  }
}

const utf8 = new TextEncoder();

/** A name, an IPv4 address or an IPv6 one in brackets, and maybe a port: nothing before, between or behind them. */
const hostHeader = /^(?<name>\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::(?<port>\d{0,5}))?$/i;

/** The host of a Host header, without its port: `[::1]:80` → `[::1]`. Nothing when the header is none. */
function hostName(header: string): string | undefined {
  const { name, port } = hostHeader.exec(header)?.groups ?? {};
  return Number(port ?? 0) > 65_535 ? undefined : name?.toLowerCase();
}

function shownToken(request: AccessRequest): string | undefined {
  const { authorization, subprotocols } = request;
  if (authorization?.startsWith("Bearer ")) return authorization.slice("Bearer ".length);
  return carried(TOKEN_SUBPROTOCOL_PREFIX, subprotocols);
}
