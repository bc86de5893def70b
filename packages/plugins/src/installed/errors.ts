/** Errors of the lists of plugins that a user keeps. */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 400, ...options });
}

function hidden(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return error(code, message, { public: false, ...options });
}

/** Errors of the files. Where they are is for who runs the host: a remote caller gets `internal.error`. */
export const stateErrors = {
  unreadable: (file: string, cause: unknown) =>
    hidden("state_unreadable", `${file} can't be read: ${reasonOf(cause)}`, { metadata: { file }, cause }),
  unwritable: (file: string, cause: unknown) =>
    hidden("state_unwritable", `${file} can't be written: ${reasonOf(cause)}`, { metadata: { file }, cause }),
  tooLarge: (file: string, limit: number) =>
    hidden("state_too_large", `${file} is larger than ${limit} bytes`, { metadata: { file, limit } }),
  malformed: (file: string, why: string, cause?: unknown) =>
    hidden("state_malformed", `${file} can't be used: ${why}`, { metadata: { file }, cause }),
  locked: (lock: string) =>
    hidden(
      "state_locked",
      `Another process is changing the plugins, and has been for seconds: it holds ${lock} (\`fuser\` says which). Try again when it is done`,
      { metadata: { lock }, retryable: true, statusCode: 503 },
    ),
};

/** Errors of what is asked of the lists. */
export const installedErrors = {
  alreadyAdded: (id: string, scope: string, manifest: string) =>
    error("already_added", `There is a plugin ${id} in the ${scope} scope already: ${manifest}`, {
      statusCode: 409,
      metadata: { plugin: id, scope, manifest },
    }),
  notAdded: (id: string, suggestion: string | undefined) =>
    error(
      "not_added",
      `There is no plugin ${id} on your lists. ${suggestion === undefined ? "troupe plugins list shows what is there, troupe plugins add <folder> adds one" : `Did you mean ${suggestion}?`}`,
      { statusCode: 404, metadata: { plugin: id } },
    ),
  notEnabled: (id: string, scope: string) =>
    error("not_enabled", `Plugin ${id} of the ${scope} scope isn't enabled: troupe plugins enable ${id}`, {
      statusCode: 403,
      metadata: { plugin: id, scope },
    }),
  idChanged: (id: string, found: string, manifest: string) =>
    error("id_changed", `${manifest} was added as ${id}, and says now that it is ${found}`, {
      metadata: { plugin: id, found, manifest },
    }),
};

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
