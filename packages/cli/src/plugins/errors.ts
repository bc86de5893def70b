/** Errors of what was typed after `troupe plugins`. */
import { TroupeError } from "@troupe/base";

function error(
  code: string,
  message: string,
  options: { metadata?: Record<string, unknown>; cause?: unknown } = {},
) {
  return new TroupeError("config", code, message, { statusCode: 400, ...options });
}

/** Errors of flags and arguments. */
export const pluginOptionErrors = {
  twoScopes: () => error("two_scopes", "--user and --project can't both be meant"),
  badConfig: (file: string, why: string, cause?: unknown) =>
    error("bad_plugin_config", `--config ${file}: ${why}`, { metadata: { file }, cause }),
  folderExists: (folder: string) =>
    error("folder_exists", `${folder} is there already: choose another name, or another folder with --into`, {
      metadata: { folder },
    }),
  noSdk: (language: string) =>
    error("sdk_missing", `The SDK for ${language} isn't part of this installation`, {
      metadata: { language },
    }),
  badName: (name: string) =>
    error(
      "bad_plugin_name",
      `"${name}" can't be a plugin's id: a lower-case letter, then at most 63 letters, digits and hyphens`,
      { metadata: { name } },
    ),
  badLanguage: (language: string, known: readonly string[]) =>
    error("bad_language", `--lang ${language}: must be one of ${known.join(", ")}`, {
      metadata: { language },
    }),
};
