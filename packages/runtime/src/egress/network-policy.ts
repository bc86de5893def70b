/**
 * What may be reached: nothing but what is named.
 */
import { invalidPolicy, networkErrors } from "./errors.ts";

/** Where requests may go. */
export interface AllowedTarget {
  /**
   * An origin, and perhaps the beginning of a path: "https://api.example.com/v1". A host that begins with "*." is all of its
   * subdomains, "*" every host.
   */
  readonly url: string;
  /** Default: all. */
  readonly methods?: readonly string[];
  /** True: the name may lead to an address of a private network or of this machine. Default: it must be a public one. */
  readonly private?: boolean;
}

/** A secret that requests from inside carry without knowing it. */
export interface Credential {
  readonly value: string;
  /** The hosts that get it: "api.example.com", "*.example.com". */
  readonly hosts: readonly string[];
}

/** What of the network is granted. */
export interface NetworkConfig {
  /** What may be reached. Default: nothing. */
  readonly allow?: readonly (string | AllowedTarget)[];
  /** By the names of the variables that have their placeholders. */
  readonly credentials?: Readonly<Record<string, Credential>>;
}

const NOT_ALLOWED = "it is not on the allow list (`network.allow`)";

interface Target {
  readonly protocol: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly methods: readonly string[] | undefined;
  readonly private: boolean;
}

const ownNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The allow list. */
export class NetworkPolicy {
  readonly #targets: readonly Target[];

  /** Throws where an entry is none. */
  constructor(config: NetworkConfig) {
    this.#targets = (config.allow ?? []).map((entry) =>
      targetOf(typeof entry === "string" ? { url: entry } : entry),
    );
  }

  /** Of http, by the names that every machine has for itself. */
  get localOrigins(): readonly string[] {
    const local = this.#targets.filter(({ protocol, host }) => protocol === "http:" && ownNames.has(host));
    return [...new Set(local.map(({ host, port }) => new URL(`http://${host}:${port}`).origin))];
  }

  /** Throws `network.denied`; says whether the address may be a private one. */
  check(url: URL, method: string): { readonly private: boolean } {
    const said = url.origin === "null" ? url.href : url.origin + url.pathname;
    if (url.username !== "" || url.password !== "") throw networkErrors.denied(said, "it has a user in it");
    const there = this.#targets.filter((target) => leadsTo(target, url));
    if (there.length === 0) throw networkErrors.denied(said, NOT_ALLOWED);
    const allowed = there.filter(({ methods }) => methods === undefined || methods.includes(method));
    if (allowed.length === 0) throw networkErrors.denied(said, `${method} is not allowed there`);
    return { private: allowed.some((target) => target.private) };
  }

  /** True when something of this origin may be reached. */
  knows(origin: URL): boolean {
    return this.#targets.some((target) => isAt(target, origin));
  }

  /** As `check`, for a connection in which nobody sees what is asked for: all of the origin must be allowed. */
  checkTunnel(url: URL): { readonly private: boolean } {
    const there = this.#targets.filter((target) => isAt(target, url));
    if (there.length === 0) throw networkErrors.denied(url.origin, NOT_ALLOWED);
    const whole = there.filter(({ path, methods }) => path === "/" && methods === undefined);
    if (whole.length === 0)
      throw networkErrors.denied(url.origin, "of https only whole origins can be allowed to processes");
    return { private: whole.some((target) => target.private) };
  }
}

/** True for the host itself, or where a pattern with "*" says so. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "*" || pattern === host) return true;
  return pattern.startsWith("*.") && host.endsWith(pattern.slice(1));
}

function isAt({ protocol, host, port }: Target, url: URL): boolean {
  return url.protocol === protocol && url.port === port && hostMatches(host, url.hostname);
}

function leadsTo(target: Target, url: URL): boolean {
  const { path } = target;
  if (!isAt(target, url)) return false;
  if (path === "/") return true;
  // A server may take an escaped separator for one; where a path matters there is none.
  if (/%2f|%5c/i.test(url.pathname)) return false;
  return url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function targetOf({ url: text, methods, private: inside = false }: AllowedTarget): Target {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw invalidPolicy(`"${text}" is no http or https URL`);
  const { protocol, hostname: host, port, pathname: path } = url;
  return { protocol, host, port, path, methods: methods?.map((name) => name.toUpperCase()), private: inside };
}
