/** OpenCode's configuration for one run, as it takes it from a variable: over the user's files, with a plugin that asks the gateway. */
import { runErrors } from "../errors.ts";

/** `given` is what the variable says already. Throws `run.settings_unreadable`. */
export function opencodeConfig(given: string | undefined, url: string): string {
  const config = read(given);
  const provider = record(config["provider"]);
  const plugins = config["plugin"];
  const at = (name: string, baseURL: string) => {
    const own = record(provider[name]);
    return { ...own, options: { ...record(own["options"]), baseURL } };
  };
  return JSON.stringify({
    ...config,
    provider: {
      ...provider,
      anthropic: at("anthropic", `${url}/v1`),
      openai: at("openai", `${url}/v1`),
      google: at("google", `${url}/v1beta`),
    },
    plugin: [...(Array.isArray(plugins) ? plugins : []), import.meta.resolve("@troupe/cli/opencode-plugin")],
  });
}

function read(given: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return given === undefined ? {} : record(JSON.parse(given));
  } catch (cause) {
    throw runErrors.settingsUnreadable("OPENCODE_CONFIG_CONTENT", cause);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
