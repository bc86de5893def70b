/**
 * Addresses of a gateway: `protocol/client/v1/http.ts` says what they look like.
 */
import { checkKey, checkName, decodeKey, type ResolveMethod } from "@troupe/protocol";
import { gatewayErrors, serverErrors } from "../errors.ts";

/** An address, taken apart. */
export type Route =
  | { readonly kind: "action"; readonly actor: ActorRoute; readonly action: string }
  | { readonly kind: "queue"; readonly actor: ActorRoute; readonly queue: string }
  | { readonly kind: "resolve" | "create" | "connect" | "reload"; readonly actor: ActorRoute }
  | RawRoute
  | { readonly kind: "livez" | "readyz" | "metrics" }
  /** None of the gateway's own paths. */
  | { readonly kind: "app"; readonly path: string };

/** The actor's own paths: `/websocket` and `/request` themselves, and what is under them. */
export interface RawRoute {
  readonly kind: "websocket" | "request";
  readonly actor: ActorRoute;
  /** Path and query as the actor sees them. */
  readonly url: string;
}

/** A socket's address. */
export type SocketRoute =
  | (Route & { readonly kind: "connect" })
  | (RawRoute & { readonly kind: "websocket" });

/** The actor that a request is for. */
export type ActorRoute = {
  /** The name of its namespace; nothing for the default one. */
  readonly namespace?: string | undefined;
} & (
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "key"; readonly name: string; readonly key: string[]; readonly method: ResolveMethod }
);

const methods: ReadonlySet<string> = new Set<ResolveMethod>(["get", "getOrCreate", "create"]);

/** Takes `/path?query` apart. Throws `gateway.not_found`, `gateway.bad_request`, `key.*`. */
export function parseRoute(url: string): Route {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const parts = path.split("/");
  switch (parts[1]) {
    case "actor":
      return actorRoute(parts, { name: part(parts, 2), query: mark === -1 ? "" : url.slice(mark + 1) }, path);
    case "actor-id":
      return actorRoute(parts, { ...idOf(parts), query: mark === -1 ? "" : url.slice(mark + 1) }, path);
    case "livez":
    case "readyz":
    case "metrics":
      if (parts.length === 2) return { kind: parts[1] };
      throw gatewayErrors.notFound(path);
    default:
      // What isn't a path of its own (`*`, `//other.host/`, an absolute URL) is nobody's.
      if (!path.startsWith("/") || path.startsWith("//")) throw gatewayErrors.notFound(path);
      return { kind: "app", path };
  }
}

const ownPath = /^\/(?:actor|actor-id|inspector)(?:[/?]|$)|^\/(?:livez|readyz|metrics)(?:\?|$)/;

/** True for the gateway's own addresses: who shares a server with it has all others. */
export function isOwnPath(url: string): boolean {
  return ownPath.test(url);
}

/** Where remote hosts open their link. */
export const HOST_PATH = "/hosts/connect";

const socketPath = /^\/(?:actor|actor-id|inspector)\//;

/** True for addresses at which the gateway takes sockets. */
export function isSocketPath(url: string): boolean {
  return url === HOST_PATH || socketPath.test(url);
}

const requestPath = /^\/actor(?:-id)?\/[^/?]*\/request(?:[/?]|$)/;

/** True for the address of an actor's own HTTP: its body isn't read by the gateway. */
export function isRequestPath(url: string): boolean {
  // Most addresses are told by the first look alone.
  return url.includes("/request") && requestPath.test(url);
}

type ActorPart = (IdPart | { readonly name: string }) & { readonly query: string };

interface IdPart {
  readonly id: string;
  readonly namespace: string | undefined;
}

function actorRoute(parts: readonly string[], of: ActorPart, path: string): Route {
  const verb = parts[3];
  if (verb === "websocket" || verb === "request") return rawRoute(verb, parts, of);
  const expected = verb === "action" || verb === "queue" ? 5 : 4;
  if (parts.length !== expected) throw gatewayErrors.notFound(path);
  const pairs = of.query.split("&");
  const actor = "id" in of ? idRoute(of) : keyRoute(of.name, pairs);
  switch (verb) {
    case "action":
      return { kind: "action", actor, action: part(parts, 4) };
    case "queue":
      return { kind: "queue", actor, queue: part(parts, 4) };
    case "resolve":
    case "connect":
    case "reload":
      return { kind: verb, actor };
    case "create":
      if (actor.kind === "id") throw gatewayErrors.notFound(path);
      return { kind: verb, actor: { ...actor, method: "create" } };
    default:
      throw gatewayErrors.notFound(path);
  }
}

/** What the query of an actor's own path says to the gateway is marked by this, and taken out: the rest is the actor's. */
const RAW_MARK = "troupe-";

function rawRoute(kind: RawRoute["kind"], parts: readonly string[], of: ActorPart): RawRoute {
  const [own, others] = partition(of.query.split("&"), (pair) => pair.startsWith(RAW_MARK));
  const ours = own.map((pair) => pair.slice(RAW_MARK.length));
  if ("id" in of && ours.length > 0)
    throw serverErrors.badRequest("an address by id has no troupe- parameters");
  const actor = "id" in of ? idRoute(of) : keyRoute(of.name, ours);
  const query = others.join("&");
  return { kind, actor, url: `/${parts.slice(4).join("/")}${query === "" ? "" : `?${query}`}` };
}

function partition<T>(all: readonly T[], chosen: (one: T) => boolean): [chosen: T[], others: T[]] {
  return [all.filter(chosen), all.filter((one) => !chosen(one))];
}

/** `{id}` or `{id}@{namespace}`: an address that others put paths and queries behind has its namespace in itself. */
function idOf(parts: readonly string[]): IdPart {
  const text = parts[2] ?? "";
  const mark = text.indexOf("@");
  if (text === "" || mark === 0) throw gatewayErrors.notFound(parts.join("/"));
  if (mark === -1) return { id: decoded(text), namespace: undefined };
  return { id: decoded(text.slice(0, mark)), namespace: decoded(text.slice(mark + 1)) };
}

function idRoute({ id, namespace }: IdPart): ActorRoute & { kind: "id" } {
  return { kind: "id", id, namespace };
}

function keyRoute(name: string, pairs: readonly string[]): ActorRoute & { kind: "key" } {
  checkName(name);
  let namespace: string | undefined;
  let key: string | undefined;
  let method: string | undefined;
  for (const pair of pairs) {
    if (pair.startsWith("key=")) key = once(key, pair.slice(4), "key");
    else if (pair.startsWith("method=")) method = once(method, pair.slice(7), "method");
    else if (pair.startsWith("namespace=")) namespace = once(namespace, decoded(pair.slice(10)), "namespace");
    else if (pair !== "")
      throw serverErrors.badRequest(`unknown parameter in the query: ${pair.split("=")[0] ?? ""}`);
  }
  const components = decodeKey(key);
  checkKey(components);
  return { kind: "key", name, key: components, method: resolveMethod(method), namespace };
}

function once(before: string | undefined, value: string, name: string): string {
  if (before !== undefined) throw serverErrors.badRequest(`${name} is given twice`);
  return value;
}

function resolveMethod(text: string | undefined): ResolveMethod {
  if (text === undefined) return "getOrCreate";
  if (isMethod(text)) return text;
  throw serverErrors.badRequest("method must be get, getOrCreate or create");
}

function isMethod(text: string): text is ResolveMethod {
  return methods.has(text);
}

function part(parts: readonly string[], index: number): string {
  const text = parts[index];
  if (text === undefined || text === "") throw gatewayErrors.notFound(parts.join("/"));
  return decoded(text);
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw serverErrors.badRequest("the address isn't percent-encoded UTF-8");
  }
}
