/** What a gateway needs of this machine: Node, a free port, a place for the trace, and providers that answer. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { type Finding, fine, problem, TroupeError, warning } from "@troupe/base";
import { type NamedProxy, proxyOf } from "@troupe/relay/model-proxy";
import { isLoopback } from "../access.ts";
import type { GatewayOptions } from "../options.ts";

const NODE = 24;
const CONNECT_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** `version` as in `process.versions.node`. */
export function checkNode(version: string): Finding {
  if (Number(version.split(".")[0]) >= NODE) return fine("node", `Node ${version}`);
  return problem("node", `Node ${version} is too old`, `install Node ${NODE} or newer`);
}

/** Looks by a connection: nothing is bound. */
export async function checkBind({ host, port }: GatewayOptions): Promise<Finding> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (port === 0 || !(await answers(host, port))) return fine("bind", `${address} is free`);
  const is = (await isGateway(address)) ? "a gateway listens there already" : "another program listens there";
  return problem(
    "bind",
    `${address} is taken: ${is}`,
    "end it, or choose another with --bind or gateway.bind",
  );
}

/** Whether the trace can be written; nothing of it is. */
export async function checkTrace({ atof }: GatewayOptions): Promise<Finding> {
  if (atof === undefined) return fine("trace", "no trace is written");
  if (atof.includes("\0"))
    return problem("trace", "a path has no NUL in it", "correct --atof or gateway.atof");
  const there = await stat(atof).catch(() => undefined);
  const folder = await nearest(dirname(atof));
  const fits = there === undefined ? await takesFiles(folder) : there.isFile();
  const writable = await access(there === undefined ? folder : atof, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (fits && writable) return fine("trace", `events go to ${atof}`);
  return problem("trace", `${atof} can't be written`, "choose another with --atof or gateway.atof");
}

/** Linux's own file systems are written by nobody, whatever their folders say. */
const ofKernel: ReadonlySet<number> = new Set([0x9fa0, 0x62656572]);

async function takesFiles(folder: string): Promise<boolean> {
  return (await stat(folder)).isDirectory() && !ofKernel.has((await statfs(folder)).type);
}

/** Variables that should name a proxy, and don't. Nothing is connected. */
export function checkProxies({ upstreams }: GatewayOptions, env: Environment): readonly Finding[] {
  return Object.entries(upstreams).flatMap(([name, url]) => {
    const found = proxyFor(`upstream ${name}`, url, env);
    return found !== undefined && "level" in found ? [found] : [];
  });
}

function proxyFor(check: string, url: URL, env: Environment): NamedProxy | Finding | undefined {
  try {
    return proxyOf(url, env);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return problem(check, `${error.message} [${error.group}.${error.code}]`, "correct it there");
  }
}

/** A connection to it, or to the proxy on the way, and nothing more: no request, no key. */
export async function checkUpstreams(
  { upstreams }: GatewayOptions,
  env: Environment,
): Promise<readonly Finding[]> {
  const entries = Object.entries(upstreams);
  if (entries.length === 0)
    return [
      warning(
        "upstream",
        "no model provider is configured: a gateway refuses model calls",
        "give --upstream, or upstreams in troupe.toml; troupe run knows the providers itself",
      ),
    ];
  return await Promise.all(entries.map(([name, url]) => checkUpstream(`upstream ${name}`, url, env)));
}

async function checkUpstream(check: string, url: URL, env: Environment): Promise<Finding> {
  if (/\/v1\/?$/.test(url.pathname))
    return warning(
      check,
      `${url.href} ends with /v1, which requests bring themselves: they would go to ${url.href.replace(/\/$/, "")}/v1`,
      `name it without: ${url.href.replace(/\/v1\/?$/, "")}`,
    );
  const proxy = proxyFor(check, url, env);
  if (proxy === undefined) {
    if (await answersAt(url)) return fine(check, `${url.origin} answers`);
    const network = "look at its address, and at this machine's network";
    const mend = isLoopback(url.hostname)
      ? `start it, or correct its address`
      : `${network}; where a proxy stands on the way, HTTPS_PROXY names it`;
    return problem(check, `${url.origin} can't be reached`, mend);
  }
  if ("level" in proxy) return proxy;
  const { origin } = proxy.url;
  if (await answersAt(proxy.url))
    return fine(check, `${url.origin} is behind the proxy ${origin} (${proxy.variable}), which answers`);
  return problem(
    check,
    `the proxy ${origin} on the way to ${url.origin} can't be reached`,
    `correct ${proxy.variable}, or name ${url.hostname} in NO_PROXY`,
  );
}

async function answersAt({ hostname, port, protocol }: URL): Promise<boolean> {
  const usual = protocol === "https:" ? 443 : 80;
  return await answers(hostname.replace(/^\[(.*)\]$/, "$1"), port === "" ? usual : Number(port));
}

async function answers(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: CONNECT_MS });
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  socket.once("timeout", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}

async function isGateway(address: string): Promise<boolean> {
  const answer = await fetch(`http://${address}/livez`, { signal: AbortSignal.timeout(CONNECT_MS) })
    .then((response) => response.json())
    .catch(() => undefined);
  return Object(answer).status === "ok";
}

/** The nearest that is there, `path` or what it would be in. */
async function nearest(path: string): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined || dirname(path) === path ? path : await nearest(dirname(path));
}
