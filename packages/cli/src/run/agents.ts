/**
 * Agents: how a program is told where its models are, for one run. Every agent gets the variables that SDKs read; a few have
 * a word of their own for it. Nothing is written to the user's files.
 */
import type { Json } from "@troupe/relay";
import type { ProviderFamily, UpstreamUrls } from "@troupe/relay/model-proxy";
import { readUpstreamUrl } from "../config/values.ts";
import type { GatewayOptions } from "../gateway/options.ts";
import { type GatewayAddress, TOKEN_VARIABLE, tokenFor, withToken } from "../gateway/token.ts";
import { GATEWAY_VARIABLE } from "../hook/command.ts";
import { findAgent } from "./agent-name.ts";
import { ClaudeSettingsFile, claudeSettingsPlace, readClaudeSettings } from "./claude-settings.ts";
import { codexHookArgs } from "./codex-hook.ts";
import { GeminiHome, geminiHomePlace, geminiSettingsIn, readGeminiHome } from "./gemini-home.ts";
import { opencodeConfig } from "./opencode-config.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where an agent's requests come in, by family, and how it is told. */
interface FamilyRoute {
  /** The variable that its SDKs read. */
  readonly variable: string;
  /** What the variable says behind a host: the rest of a path is the SDK's. */
  readonly root: string;
  /** What it would say where nobody says otherwise. */
  readonly provider: string;
}

const routes: Readonly<Record<ProviderFamily, FamilyRoute>> = {
  openai: { variable: "OPENAI_BASE_URL", root: "/v1", provider: "https://api.openai.com/v1" },
  anthropic: { variable: "ANTHROPIC_BASE_URL", root: "", provider: "https://api.anthropic.com" },
  gemini: {
    variable: "GOOGLE_GEMINI_BASE_URL",
    root: "",
    provider: "https://generativelanguage.googleapis.com",
  },
};

const families = Object.keys(routes) as ProviderFamily[];

/** A program, as it is started. */
export interface AgentStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

/** The same behind a gateway, with what it has to read beside its variables and arguments, if anything. */
export interface ToldAgent extends AgentStart {
  readonly settings: SettingsFile | undefined;
}

/** A file that is made for one run. */
export interface SettingsFile {
  readonly path: string;
  readonly content: Readonly<Record<string, Json>>;
}

/** The gateway, as an agent must know it. */
export interface AgentGateway {
  readonly address: GatewayAddress;
  /** Runs `troupe hook`, as a program and its arguments. */
  readonly hook: readonly string[];
  /** Where the agent runs. */
  readonly cwd: string;
  /** Holds what must go when the agent has ended; undefined: nothing is made, and it is told as if it were there. */
  readonly ending?: Pick<AsyncDisposableStack, "use">;
}

/** The program with its models and its tools behind `gateway`; `agent`: what it is, where its name doesn't say. Throws `run.settings_*`. */
export async function behindGateway(
  { program, args, env }: AgentStart,
  gateway: AgentGateway,
  agent?: string,
): Promise<ToldAgent> {
  const url = withToken(gateway.address);
  const addresses = Object.fromEntries(
    families.map((family) => [routes[family].variable, url + routes[family].root]),
  );
  const { name, before } = findAgent(program, args, agent);
  const agentArgs = args.slice(before);
  const own = (await presets[name]?.({ args: agentArgs, env }, gateway)) ?? {};
  return {
    program,
    args: [...args.slice(0, before), ...(own.args ?? agentArgs)],
    env: { ...env, ...addresses, [GATEWAY_VARIABLE]: url, ...withoutProxy(env), ...own.env },
    settings: own.settings,
  };
}

/** Agents that are told in their own way. */
export function presetNames(): readonly string[] {
  return Object.keys(presets);
}

/**
 * Where each family's requests go: what was asked for, else where the agent's environment would have sent them, else the provider itself.
 * An address of an environment has all of the path that its SDK would go on from, with a version of its own or without one: so the
 * path that the agent is told in its place gives way to it. Throws `config.invalid_option` and `config.key_in_file` for what is no such address.
 */
export function upstreamsOf(
  asked: UpstreamUrls,
  env: Environment,
): Pick<GatewayOptions, "upstreams" | "roots"> {
  const upstreams: Partial<Record<ProviderFamily | "any", URL>> = { ...asked };
  const roots: Partial<Record<ProviderFamily, string>> = {};
  for (const family of families) {
    if (upstreams[family] !== undefined || upstreams.any !== undefined) continue;
    const { variable, root, provider } = routes[family];
    // As SDKs take an empty one.
    const set = env[variable]?.trim() || provider;
    upstreams[family] = readUpstreamUrl(variable, set);
    if (root !== "") roots[family] = root;
  }
  return { upstreams, roots };
}

const here = ["127.0.0.1", "localhost"];

/** No proxy that its environment names gets what is for the gateway: its address has the run's secret. Others are told as before. */
function withoutProxy({ no_proxy, NO_PROXY }: Environment): Environment {
  // Both are read, by some the one and by some the other.
  const lower = exempting(no_proxy ?? NO_PROXY);
  return { no_proxy: lower, NO_PROXY: NO_PROXY === undefined ? lower : exempting(NO_PROXY) };
}

function exempting(set = ""): string {
  const hosts = set.split(/[\s,]+/).filter((host) => host !== "");
  return hosts.includes("*") ? set : [...new Set([...hosts, ...here])].join(",");
}

type OwnWords = Partial<Pick<ToldAgent, "args" | "env" | "settings">>;
type Preset = (start: Omit<AgentStart, "program">, gateway: AgentGateway) => OwnWords | Promise<OwnWords>;

/** What an agent has of its own, by its name. No secret is among arguments: everybody on a machine can read those. */
const presets: Readonly<Record<string, Preset>> = {
  claude: async ({ args }, { address, ending }) => {
    const { settings, argsWith } = readClaudeSettings(args, withToken(address));
    const path =
      ending === undefined ? claudeSettingsPlace() : ending.use(await ClaudeSettingsFile.make(settings)).path;
    return { args: argsWith(path), settings: { path, content: settings } };
  },
  codex: ({ args, env }, { address, hook }) => ({
    args: [
      ...["-c", `openai_base_url=${JSON.stringify(`${address.origin}/v1`)}`],
      ...codexHookArgs(hookCommand(hook, "codex")),
      ...args,
    ],
    env: { [TOKEN_VARIABLE]: tokenFor(address.token, env[TOKEN_VARIABLE]) },
  }),
  gemini: async ({ env }, { hook, cwd, ending }) => {
    const contents = await readGeminiHome(env, { hook: hookCommand(hook, "gemini"), cwd });
    const path = ending === undefined ? geminiHomePlace() : ending.use(await GeminiHome.make(contents)).path;
    const settings = { path: geminiSettingsIn(path), content: contents.settings };
    return { env: { GEMINI_CLI_HOME: path }, settings };
  },
  opencode: ({ env }, { address }) => ({
    env: { OPENCODE_CONFIG_CONTENT: opencodeConfig(env["OPENCODE_CONFIG_CONTENT"], withToken(address)) },
  }),
};

/** For a shell. */
function hookCommand(hook: readonly string[], agent: string): string {
  return [...hook, agent].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}
