/**
 * Where an actor is: the URLs of the client protocol, version 1.
 */
import { encodeKey } from "@troupe/protocol";
import { clientErrors } from "../errors.ts";
import type { ActorTarget } from "../transport.ts";

/** The base of all URLs: origin and path, without a slash at its end. Throws `client.bad_endpoint`. */
export function parseEndpoint(endpoint: string): string {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch (error) {
    throw clientErrors.badEndpoint(endpoint, error);
  }
  const speaksHttp = url.protocol === "http:" || url.protocol === "https:";
  // Credentials in a URL are refused by fetch and dropped by WebSocket: the token has an option of its own.
  if (!speaksHttp || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw clientErrors.badEndpoint(endpoint);
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** `route` is "action/{name}" (encoded already), "resolve", "create" or "connect". No namespace: the default one. */
export function actorUrl(base: string, target: ActorTarget, route: string, namespace?: string): string {
  if (target.kind === "id") return `${actorBase(base, target.actorId, namespace)}/${route}`;
  const query = namespace === undefined ? [] : [`namespace=${encodeURIComponent(namespace)}`];
  if (target.key.length > 0) query.push(`key=${encodeKey(target.key)}`);
  if (route !== "create") query.push(`method=${target.method}`);
  const search = query.length === 0 ? "" : `?${query.join("&")}`;
  return `${base}/actor/${encodeURIComponent(target.name)}/${route}${search}`;
}

/**
 * The actor's own path. `path` may have a query, which is the actor's; what the gateway has to know is marked and taken
 * out again.
 */
export function rawUrl(
  base: string,
  target: ActorTarget,
  route: "websocket" | "request",
  path: string,
  namespace?: string,
): string {
  const [own = "", ...rest] = path.replace(/#.*$/s, "").split("?");
  const pairs: string[] = [];
  if (target.kind === "key") {
    if (namespace !== undefined) pairs.push(`troupe-namespace=${encodeURIComponent(namespace)}`);
    if (target.key.length > 0) pairs.push(`troupe-key=${encodeKey(target.key)}`);
    pairs.push(`troupe-method=${target.method}`);
  }
  if (rest.length > 0) pairs.push(rest.join("?"));
  const actor =
    target.kind === "id"
      ? actorBase(base, target.actorId, namespace)
      : `${base}/actor/${encodeURIComponent(target.name)}`;
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${actor}/${route}/${own.replace(/^\//, "")}${search}`;
}

/** The path of a raw request to an actor. */
export function rawAddress(target: ActorTarget, path: string, namespace?: string): string {
  return rawUrl("", target, "request", path, namespace);
}

/** Where an actor is, without a path: what stands before `/request` and `/websocket`. */
export function actorBase(base: string, actorId: string, namespace?: string): string {
  const within = namespace === undefined ? "" : `@${encodeURIComponent(namespace)}`;
  return `${base}/actor-id/${encodeURIComponent(actorId)}${within}`;
}

/** The same place for a WebSocket. */
export function socketUrl(url: string): string {
  return `ws${url.slice("http".length)}`;
}
