/** What a gateway needs of this machine: Node, a free port, a place for the trace, and providers that answer. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { GatewayOptions } from "../gateway/options.ts";
import { type Finding, fine, problem, warning } from "./finding.ts";

const NODE = 24;
const CONNECT_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

const proxies = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

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
  const there = await stat(atof).catch(() => undefined);
  const folder = await nearest(dirname(atof));
  const fits = there === undefined ? (await stat(folder)).isDirectory() : there.isFile();
  const writable = await access(there === undefined ? folder : atof, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (fits && writable) return fine("trace", `events go to ${atof}`);
  return problem("trace", `${atof} can't be written`, "choose another with --atof or gateway.atof");
}

/** A connection and nothing more: no request, no key. */
export async function checkUpstreams(
  { upstreams }: GatewayOptions,
  env: Environment,
): Promise<readonly Finding[]> {
  const proxy = proxies.find((name) => (env[name] ?? "") !== "");
  const network = "look at its address, and at this machine's network";
  const entries = Object.entries(upstreams);
  if (entries.length === 0)
    return [
      warning(
        "upstream",
        "no model provider is configured: a gateway refuses model calls",
        "give --upstream, or upstreams in troupe.toml; troupe run knows the providers itself",
      ),
    ];
  return await Promise.all(
    entries.map(async ([name, url]) => {
      const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      if (await answers(host, port)) return fine(`upstream ${name}`, `${url.origin} answers`);
      return problem(
        `upstream ${name}`,
        `${url.origin} can't be reached`,
        proxy === undefined
          ? network
          : `${network}: a gateway goes to its providers directly, and doesn't use the proxy that ${proxy} names`,
      );
    }),
  );
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
