/**
 * Proxy: what stands between this machine and a provider, as in the network of a company, by the variables that curl and most other
 * programs read. Addresses of this machine are reached directly, whatever those say.
 */
import { BlockList, isIP } from "node:net";
import { proxyErrors } from "./errors.ts";

/** Where the variables are. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/** A proxy, and the variable that names it. */
export interface NamedProxy {
  readonly url: URL;
  readonly variable: string;
}

const schemes: ReadonlySet<string> = new Set(["http:", "https:"]);

/** The proxy on the way to `url`; undefined: there is none. Throws `gateway.bad_proxy`. */
export function proxyOf(url: URL, env: ProxyVariables): NamedProxy | undefined {
  const scheme = url.protocol.slice(0, -1);
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, "all_proxy", "ALL_PROXY"];
  const variable = names.find((name) => (env[name] ?? "") !== "");
  if (variable === undefined || isExempt(url, env["no_proxy"] ?? env["NO_PROXY"] ?? "")) return undefined;
  const said = env[variable] ?? "";
  const text = said.includes("://") ? said : `http://${said}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy === undefined || !schemes.has(proxy.protocol)) throw proxyErrors.badProxy(variable);
  return { url: proxy, variable };
}

function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (host === "localhost" || host.endsWith(".localhost") || isWithin(host, "127.0.0.0/8") || host === "::1")
    return true;
  const port = url.port === "" ? { "http:": "80", "https:": "443" }[url.protocol] : url.port;
  return list.split(/[\s,]+/).some((entry) => entry !== "" && names(entry.toLowerCase(), host, port));
}

/** `entry`: `*`, a name that counts for those below it too, an address, a range of them; a name or an address with a port perhaps. */
function names(entry: string, host: string, port: string | undefined): boolean {
  if (entry.includes("/")) return isWithin(host, entry);
  const [, bracketed, plain = entry, only] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const name = (bracketed ?? plain).replace(/^\*?\./, "").replace(/\.$/, "");
  return name === "*" || host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isWithin(host: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  const family = isIP(network);
  const prefix = Number(bits);
  if (family === 0 || isIP(host) !== family || !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128)))
    return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
