/** Models: which providers agents reach through the actor's own proxy, and how agents are told of it. */

import { type ModelCaller, Upstreams, type UpstreamUrls } from "@troupe/relay/model-proxy";
import { createRelay } from "@troupe/relay/node";
import { configErrors } from "../errors.ts";
import type { ToolRunner } from "../sessions/tool-calls.ts";
import { ToolCalls } from "../sessions/tool-calls.ts";
import { ModelListener, type UnknownPaths } from "./model-listener.ts";

/** A provider's API. */
export type ModelFamily = "anthropic" | "openai" | "gemini";

/** Where the model calls of agents go. */
export interface ModelsConfig {
  /** Addresses of providers, as "https://api.anthropic.com". */
  readonly upstreams: Readonly<Partial<Record<ModelFamily, string>>>;
  /** Keys of the program's own, in the place of those that agents bring: an agent never has them. */
  readonly keys?: Readonly<Partial<Record<ModelFamily, string>>>;
  /**
   * What may ask a model, at a path that isn't known as a model call's (batches, images, assistants): "refuse" (the default) with 403, for
   * no guardrail sees it and the key may be the program's; "pass" sends it to the provider as it is.
   */
  readonly unknownPaths?: UnknownPaths;
}

/** What an agent's environment says, by family. */
const variables: Readonly<Record<ModelFamily, (url: string) => Record<string, string>>> = {
  anthropic: (url) => ({ ANTHROPIC_BASE_URL: url }),
  openai: (url) => ({ OPENAI_BASE_URL: `${url}/v1` }),
  gemini: (url) => ({ GOOGLE_GEMINI_BASE_URL: url }),
};

/** A session's part of an agent's environment, until it is disposed of. */
export interface ModelEnvironment extends Disposable {
  readonly env: Readonly<Record<string, string>>;
}

/** Throws `config.invalid_option`. */
export function checkModels({ upstreams, keys = {}, unknownPaths = "refuse" }: ModelsConfig): void {
  if (typeof upstreams !== "object" || upstreams === null || Object.keys(upstreams).length === 0)
    throw configErrors.invalidOption("models.upstreams", 'an object as { anthropic: "https://…" }');
  for (const [family, url] of Object.entries(upstreams))
    if (!isFamily(family) || !URL.canParse(url) || !/^https?:/.test(url))
      throw configErrors.invalidOption(
        `models.upstreams.${family}`,
        "an address of anthropic, openai or gemini",
      );
  for (const [family, key] of Object.entries(keys))
    if (!Object.hasOwn(upstreams, family) || typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key))
      throw configErrors.invalidOption(`models.keys.${family}`, "a key, for one of the upstreams");
  if (unknownPaths !== "refuse" && unknownPaths !== "pass")
    throw configErrors.invalidOption("models.unknownPaths", '"refuse" or "pass"');
}

/** The models of one activation. */
export class Models {
  readonly #families: readonly ModelFamily[];
  readonly #listener: ModelListener;
  readonly #context: () => ToolRunner | undefined;

  /** `context`: the actor's own, for what an agent says to its model outside of any prompt. */
  constructor(
    { upstreams, keys = {}, unknownPaths = "refuse" }: ModelsConfig,
    context: () => ToolRunner | undefined,
  ) {
    this.#families = Object.keys(upstreams).filter(isFamily);
    const urls = Object.entries(upstreams).map(([family, url]) => [family, new URL(url)]);
    this.#listener = new ModelListener(
      new Upstreams(Object.fromEntries(urls) as UpstreamUrls, keys),
      unknownPaths,
    );
    this.#context = context;
  }

  /** `calls`: those of the prompt that runs, where there is a relay. */
  async offer(sessionId: string, calls: () => ToolCalls | undefined): Promise<ModelEnvironment> {
    const access = await this.#listener.open({ sessionId, caller: () => calls()?.models ?? this.#between() });
    const env = Object.assign({}, ...this.#families.map((family) => variables[family](access.url)));
    return { env, [Symbol.dispose]: () => access[Symbol.dispose]() };
  }

  /** Ends what runs. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  /** No prompt runs: guardrails hold here too. Without a relay there is nothing to hold. */
  #between(): ModelCaller {
    const context = this.#context();
    return (context === undefined ? undefined : ToolCalls.of(context)?.models) ?? createRelay();
  }
}

function isFamily(name: string): name is ModelFamily {
  return Object.hasOwn(variables, name);
}
