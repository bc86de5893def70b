/**
 * `troupe engine`: a gateway, a directory and a store without actors of their own. Hosts come with the code, show a token, and
 * whatever they bring is an actor here.
 *
 * It says where it serves when it does, and ends in order when it is asked to: actors are saved where they are, hosts are told,
 * and connect again when the next engine is there.
 */
import { resolve } from "node:path";
import { type HostToken, setup } from "@troupe/runtime";
import { engineErrors } from "../errors.ts";
import type { Terminal } from "../gateway/command.ts";
import { readPort } from "../start/port.ts";
import { readTokens } from "./tokens.ts";

/** As typed. */
export interface EngineFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly tokens?: string;
  readonly namespace?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly auth?: string;
  readonly sqlTimeLimit?: string;
  readonly inspector?: boolean;
}

/** Runs it. Throws `config.no_host_token`, `config.bad_tokens`, and what keeps an engine from starting. */
export async function runEngine(flags: EngineFlags, terminal: Terminal): Promise<void> {
  const asked = terminal.asked();
  const registry = setup({
    use: {},
    hosts: { tokens: hostTokens(flags, terminal), actors: "any", ...sqlTimeLimitOf(flags) },
    namespaces: flags.namespace ?? [],
    ...accessOf(flags, terminal.env?.["TROUPE_TOKEN"]),
    ...(flags.inspector === true && { inspector: {} }),
  });
  const { endpoint } = await registry.start({
    ...(flags.port !== undefined && { port: readPort(flags.port) }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { dataDir: resolve(terminal.cwd, flags.data) }),
    ...{ signals: false, banner: false },
  });
  const names = registry.namespaces.list().map(({ name }) => name);
  terminal.out(`troupe  engine at ${endpoint}   namespaces: ${names.join(", ")}\n`);
  terminal.out(`troupe  a host: TROUPE_ENDPOINT=${endpoint} TROUPE_HOSTS_TOKEN=… node your-program.ts\n`);
  await asked;
  await registry.stop();
}

function hostTokens({ tokens }: EngineFlags, { cwd, env }: Terminal): readonly HostToken[] {
  const one = env?.["TROUPE_HOSTS_TOKEN"];
  const listed = tokens === undefined ? [] : readTokens(resolve(cwd, tokens));
  const all = one ? [{ token: one }, ...listed] : listed;
  if (all.length === 0) throw engineErrors.noHostToken();
  return all;
}

function sqlTimeLimitOf({ sqlTimeLimit }: EngineFlags): { readonly sqlTimeLimitMs?: number } {
  return sqlTimeLimit === undefined ? {} : { sqlTimeLimitMs: Number(sqlTimeLimit) };
}

function accessOf(
  { allowHost = [], allowOrigin = [], auth }: EngineFlags,
  token: string | undefined,
): object {
  return {
    ...(allowHost.length > 0 && { allowedHosts: allowHost }),
    ...(allowOrigin.length > 0 && { allowedOrigins: allowOrigin }),
    ...(auth !== undefined && { auth }),
    ...(token && { token }),
  };
}
