/**
 * `troupe doctor`: what would keep a gateway from starting or an agent from being guarded, and how to mend it. It reads and connects;
 * it writes, binds and starts nothing, and asks no provider anything.
 */

import { type Finding, problem, TroupeError } from "@troupe/base";
import { policyFile, userFile } from "@troupe/plugins/scopes";
import { type ConfigFlags, configFiles } from "../config/configuration.ts";
import type { Asking } from "../confirmed.ts";
import type { Terminal } from "../gateway/command.ts";
import { checkComponents } from "../gateway/needs/components.ts";
import { checkFiles, checkKeys } from "../gateway/needs/keys.ts";
import { checkBind, checkNode, checkProxies, checkTrace, checkUpstreams } from "../gateway/needs/machine.ts";
import { type GatewayOptions, readOptions } from "../gateway/options.ts";
import { checkAgents } from "./agents.ts";
import { checkConfigFiles } from "./config-files.ts";
import { linesOf } from "./finding-lines.ts";
import { checkPlugins } from "./plugins.ts";

/** As typed. */
export interface DoctorFlags extends ConfigFlags {
  /** Connects to no provider. */
  readonly offline?: boolean;
}

/** What the command needs of the process. */
export interface DoctorTerminal extends Terminal, Asking {
  /** Makes the process end with `code`, by default 1. */
  readonly fail: (code?: number) => void;
}

/** Says what it found; fails when there is a problem. */
export async function runDoctor(flags: DoctorFlags, terminal: DoctorTerminal): Promise<void> {
  const findings = await examine(flags, terminal);
  const ok = findings.every(({ level }) => level !== "problem");
  terminal.out(flags.json ? `${JSON.stringify({ ok, findings })}\n` : described(findings, ok));
  if (!ok) terminal.fail();
}

async function examine(flags: DoctorFlags, terminal: DoctorTerminal): Promise<readonly Finding[]> {
  const { env = {} } = terminal;
  const here = [checkNode(process.versions.node), ...(await checkAgents(env["PATH"] ?? ""))];
  const options = configurationOf(flags, terminal);
  if ("level" in options) return [...here, options];
  const { user, project } = configFiles(flags, terminal);
  const files = [user, project].filter((file) => file !== undefined);
  const { scopes } = options;
  return [
    ...here,
    ...checkConfigFiles(files, terminal.cwd),
    await checkBind(options),
    await checkTrace(options),
    ...checkComponents(options),
    ...(flags.offline ? checkProxies(options, env) : await checkUpstreams(options, env)),
    ...(await checkKeys(options, env)),
    ...(await checkPlugins(options)),
    ...(await checkFiles([
      ...files,
      ...(scopes === undefined ? [] : [userFile(scopes), policyFile(scopes)]),
    ])),
  ];
}

function configurationOf(flags: DoctorFlags, terminal: DoctorTerminal): GatewayOptions | Finding {
  try {
    return readOptions(flags, terminal);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return problem(
      "config",
      `${error.message} [${error.group}.${error.code}]`,
      "correct it there; troupe config shows what counts",
    );
  }
}

function described(findings: readonly Finding[], ok: boolean): string {
  return `${[...linesOf(findings), ok ? "Nothing keeps a gateway from starting." : "A gateway wouldn't start, or not as it should."].join("\n")}\n`;
}
