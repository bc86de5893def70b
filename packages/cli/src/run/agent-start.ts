/** How an agent would be started behind a gateway, for people, found by reading alone: its variables and its arguments, without secrets. */
import { TroupeError } from "@troupe/base";
import { valueWithoutSecrets } from "@troupe/relay/secrets";
import { runErrors } from "../errors.ts";
import type { GatewayAddress } from "../gateway/token.ts";
import { printable } from "../trace/printable.ts";
import { type AgentStart, behindGateway, type SettingsFile, type ToldAgent } from "./agents.ts";
import { findProgram } from "./find-program.ts";

/** Where the gateway would listen, and the secret that its agent would be told, are known only when it does. */
const toBe: GatewayAddress = { origin: "http://127.0.0.1:PORT", token: "SECRET" };

/** A word that a shell takes as it is. */
const plain = /^[\w@%+=:,./-]+$/;

/** Lines of it. `preset`: what the agent is, where its name doesn't say. */
export async function describeStart(
  start: AgentStart,
  { preset, ...given }: { hook: readonly string[]; cwd: string; preset: string | undefined },
): Promise<string> {
  let told: ToldAgent;
  try {
    told = await behindGateway(start, { address: toBe, ...given }, preset);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return `Would not run ${start.program}: ${error.message} [${error.group}.${error.code}]\n`;
  }
  const set = Object.entries(told.env).filter(([name, value]) => value !== start.env[name]);
  const lines = set.map(([name, value]) => {
    const shown = Object(valueWithoutSecrets({ [name]: value ?? "" }))[name];
    return `Would set ${name}=${quoted(String(shown))}`;
  });
  // In a list, so that what stands behind --api-key is known for what it is.
  const words = valueWithoutSecrets([told.program, ...told.args]);
  const command = Array.isArray(words) ? words.map((word) => quoted(String(word))) : [];
  return [
    ...(await absence(start, given.cwd)),
    ...lines,
    ...described(told.settings),
    `Would run ${command.join(" ")}`,
    "",
  ]
    .map(printable)
    .join("\n");
}

function described(file: SettingsFile | undefined): string[] {
  if (file === undefined) return [];
  return [`Would write ${file.path}: ${JSON.stringify(valueWithoutSecrets(file.content))}`];
}

/** What a start would say of a program that can't be run. */
async function absence({ program, env }: AgentStart, cwd: string): Promise<string[]> {
  const found = await findProgram(program, { search: env["PATH"] ?? "", cwd });
  if (found.path !== undefined) return [];
  const { message, group, code } = found.isThere
    ? runErrors.notExecutable(program)
    : runErrors.notFound(program);
  return [`Would fail on the agent: ${message} [${group}.${code}]`];
}

/** As a shell would have to be told it. */
function quoted(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
