/** Upstreams: where the requests of each family of providers go. */
import type { ProviderFamily } from "./provider.ts";
import { type ProviderKeys, withKey, withoutKey } from "./provider-key.ts";
import { type ProxyVariables, proxyOf } from "./proxy.ts";
import { Upstream } from "./upstream.ts";

/** Addresses by family; `any` is for those that have none of their own. */
export type UpstreamUrls = Readonly<Partial<Record<ProviderFamily | "any", URL>>>;

/**
 * What the paths of a family begin with here, in the place of its upstream's own path: what an agent was told that its addresses end with. The
 * others' paths go below theirs as they come.
 */
export type UpstreamRoots = Readonly<Partial<Record<ProviderFamily, string>>>;

/** What else is known of the way to them. */
export interface UpstreamWays {
  /** Variables that may name proxies. Default: there are none. */
  readonly proxies?: ProxyVariables;
  readonly roots?: UpstreamRoots;
}

/** The providers' addresses, and the connections to them. */
export class Upstreams {
  #urls: UpstreamUrls;
  #keys: ProviderKeys;
  #byFamily: ReadonlyMap<string, Upstream>;
  readonly #proxies: ProxyVariables;
  readonly #roots: UpstreamRoots;

  /** Throws `gateway.bad_proxy`. */
  constructor(urls: UpstreamUrls, keys: ProviderKeys = {}, { proxies = {}, roots = {} }: UpstreamWays = {}) {
    this.#urls = urls;
    this.#keys = keys;
    this.#proxies = proxies;
    this.#roots = roots;
    this.#byFamily = new Map(Object.entries(urls).map(([family, url]) => [family, this.#made(url)]));
  }

  get urls(): UpstreamUrls {
    return this.#urls;
  }

  /** Undefined: nobody said where. Until the next change: not to be kept while something is waited for. */
  of(family: ProviderFamily): Upstream | undefined {
    return this.#byFamily.get(family) ?? this.#byFamily.get("any");
  }

  /** The headers of a request, as its provider gets them. */
  headersFor(family: ProviderFamily, headers: readonly string[]): readonly string[] {
    return withKey(headers, family, this.#keyOf(family));
  }

  /** The address of a request, as its provider gets it. */
  addressFor(family: ProviderFamily, url: string): string {
    return withoutKey(below(url, this.#roots[family]), family, this.#keyOf(family));
  }

  #keyOf(family: ProviderFamily): string | undefined {
    return this.#keys[this.#byFamily.has(family) ? family : "any"];
  }

  /** Other addresses and keys from now on. What is under way ends where it began. */
  change(urls: UpstreamUrls, keys: ProviderKeys): void {
    const before = this.#byFamily;
    const now = Object.entries(urls).map(([family, url]): [string, Upstream] => {
      const known = before.get(family);
      return [family, known?.url.href === url.href ? known : this.#made(url)];
    });
    this.#urls = urls;
    this.#keys = keys;
    this.#byFamily = new Map(now);
    for (const [family, upstream] of before)
      if (this.#byFamily.get(family) !== upstream) void upstream.drain();
  }

  #made(url: URL): Upstream {
    return new Upstream(url, proxyOf(url, this.#proxies));
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#byFamily.values(), (upstream) => upstream.close()));
  }
}

function below(url: string, root: string | undefined): string {
  if (root === undefined || !url.startsWith(root)) return url;
  const rest = url.slice(root.length);
  if (rest.startsWith("/")) return rest;
  return rest === "" || rest.startsWith("?") ? `/${rest}` : url;
}

/** As text. */
export function addressesOf(urls: UpstreamUrls): Record<string, string> {
  return Object.fromEntries(Object.entries(urls).map(([family, url]) => [family, url.href]));
}

/** For people; undefined when there is none. */
export function describeUpstreams(addresses: Readonly<Record<string, string>>): string | undefined {
  const { any, ...own } = addresses;
  const parts = Object.entries(own).map(([family, address]) => `${address} (${family})`);
  const all = [...parts, ...(any === undefined ? [] : [any])];
  return all.length === 0 ? undefined : all.join(", ");
}
