/**
 * Agents: how a program is told where its models are, for one run. Every agent gets the variables that SDKs read; a few have
 * a word of their own for it. Nothing is written to the user's files.
 */
import { basename } from "node:path";
import type { ProviderFamily } from "../gateway/provider.ts";
import type { UpstreamUrls } from "../gateway/upstreams.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where an agent's requests come in, by family, and how it is told. */
interface FamilyRoute {
  /** The variable that its SDKs read. */
  readonly variable: string;
  /** What their addresses end with: the rest of a path is the SDK's. */
  readonly suffix: string;
  /** Where its requests go when nobody says otherwise. */
  readonly provider: string;
}

const routes: Readonly<Record<ProviderFamily, FamilyRoute>> = {
  openai: { variable: "OPENAI_BASE_URL", suffix: "/v1", provider: "https://api.openai.com" },
  anthropic: { variable: "ANTHROPIC_BASE_URL", suffix: "", provider: "https://api.anthropic.com" },
  gemini: {
    variable: "GOOGLE_GEMINI_BASE_URL",
    suffix: "",
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

/** The program with its models behind the gateway at `url`. */
export function behindGateway({ program, args, env }: AgentStart, url: string): AgentStart {
  const addresses = Object.fromEntries(
    families.map((family) => [routes[family].variable, url + routes[family].suffix]),
  );
  const own = ownWords[basename(program).replace(/\.(?:cmd|exe|js|mjs)$/, "")]?.(url) ?? {};
  return {
    program,
    args: [...(own.args ?? []), ...args],
    env: { ...env, ...addresses, ...own.env },
  };
}

/**
 * Where each family's requests go: what was asked for, else where the agent's environment would have sent them, else the
 * provider itself.
 */
export function upstreamsOf(asked: UpstreamUrls, env: Environment): UpstreamUrls {
  const found: Partial<Record<ProviderFamily | "any", URL>> = { ...asked };
  for (const family of families) {
    if (found[family] !== undefined || found.any !== undefined) continue;
    const { variable, suffix, provider } = routes[family];
    const set = env[variable];
    const text = set === undefined || !URL.canParse(set) ? provider : set;
    found[family] = new URL(text.replace(/\/$/, "").endsWith(suffix) ? withoutSuffix(text, suffix) : text);
  }
  return found;
}

function withoutSuffix(text: string, suffix: string): string {
  const bare = text.replace(/\/$/, "");
  return suffix === "" ? bare : bare.slice(0, -suffix.length);
}

/** What an agent has of its own, by the name of its program. */
const ownWords: Readonly<
  Record<string, (url: string) => { readonly args?: readonly string[]; readonly env?: Environment }>
> = {
  codex: (url) => ({ args: ["-c", `openai_base_url=${JSON.stringify(`${url}/v1`)}`] }),
  opencode: (url) => ({
    env: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        provider: {
          anthropic: { options: { baseURL: `${url}/v1` } },
          openai: { options: { baseURL: `${url}/v1` } },
          google: { options: { baseURL: `${url}/v1beta` } },
        },
      }),
    },
  }),
};
