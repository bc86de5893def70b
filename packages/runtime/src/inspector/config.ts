/**
 * `setup({ inspector })`: whether people may look into actors, and with which token.
 */
import { nearest } from "@troupe/base";
import { configErrors } from "../errors.ts";

/** How people look into actors: with a token, and without a way to change anything unless it is said here. */
export interface InspectorConfig {
  /** What the inspector's requests show. Default: TROUPE_INSPECTOR_TOKEN. It opens nothing else. */
  readonly token?: string;
  /** Default: true where there is a token. */
  readonly enabled?: boolean;
  /** True: it may change state, call actions, run writing SQL, and end actors. Default: false. */
  readonly write?: boolean;
}

/** An inspector that is on. */
export interface InspectorSettings {
  readonly token: string;
  readonly write: boolean;
  /** The page at `/inspector/ui`; none where it isn't served. */
  readonly page?: string | undefined;
}

const nothing = { token: undefined, page: () => undefined };

const keys = ["token", "enabled", "write"];

/** Throws `config.invalid_option`, `config.unknown_option`. */
export function checkInspector(config: InspectorConfig | undefined): void {
  if (config === undefined) return;
  if (typeof config !== "object" || config === null)
    throw configErrors.invalidOption("inspector", "an object: { token, enabled?, write? }");
  for (const key of Object.keys(config))
    if (!keys.includes(key)) throw configErrors.unknownOption(`inspector.${key}`, nearest(key, keys));
  const { token, enabled, write } = config;
  if (token !== undefined && (typeof token !== "string" || token === ""))
    throw configErrors.invalidOption("inspector.token", "a text that isn't empty");
  for (const [name, flag] of Object.entries({ enabled, write }))
    if (flag !== undefined && typeof flag !== "boolean")
      throw configErrors.invalidOption(`inspector.${name}`, "true or false");
}

/** Setting over environment; nothing when it is off. Throws `config.invalid_option` when it is on without a token. */
export function inspectorSettings(
  config: InspectorConfig | undefined,
  environment: { readonly token: string | undefined; readonly page: () => string | undefined } = nothing,
): InspectorSettings | undefined {
  if (config?.enabled === false) return undefined;
  const token = config?.token ?? environment.token;
  if (token === undefined) {
    if (config === undefined) return undefined;
    throw configErrors.invalidOption("inspector.token", "given, here or by TROUPE_INSPECTOR_TOKEN");
  }
  return { token, write: config?.write === true, page: environment.page() };
}
