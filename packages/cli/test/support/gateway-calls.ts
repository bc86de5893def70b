/** A gateway as calls meet it: started before a provider, called by raw requests, its trace read back. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Relay } from "@troupe/relay";
import { Gateway } from "../../src/gateway/gateway.ts";
import { readOptions } from "../../src/gateway/options.ts";

/** In front of `provider`; with `listen` it is the gateway of one agent. */
export async function start(
  provider: { readonly url: string },
  more: { atof?: string; plugin?: string[]; listen?: (relay: Relay) => void } = {},
): Promise<Gateway> {
  const { listen, ...flags } = more;
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url], ...flags }, { cwd: "/" });
  const { token, session } = { token: "a-secret-of-its-own", session: "s" };
  return await Gateway.start(options, listen === undefined ? {} : { agent: { token, session, listen } });
}

/** The answer, whose body is yet to be read. */
export async function post(
  url: string,
  body: Uint8Array | string = "{}",
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  const sent = request(url, { method: "POST", headers });
  sent.on("error", () => {});
  const answered: Promise<IncomingMessage[]> = once(sent, "response");
  sent.end(body);
  const [answer] = await answered;
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

/** A line of a trace. */
export interface Told {
  readonly name: string;
  readonly scope_category: string;
  readonly data: { content: unknown; bytes: number };
  readonly metadata: Record<string, unknown>;
  readonly category_profile: Record<string, unknown>;
}

/** All lines of a trace. */
export function linesOf(path: string): Told[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}
