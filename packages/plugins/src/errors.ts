/**
 * Every error of the plugins package, by `group.code`. The text says what happened, and which plugin it was.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";
import { notToml, unreadBecause } from "./manifest/why-unread.ts";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, ...options });
}

/** One of files, signatures or the configuration, which are for who runs the host: a remote caller gets `internal.error`, and the log has this. */
function hidden(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return error(code, message, { public: false, ...options });
}

/** Group `plugin`: what is wrong with a session, whatever carries it. */
export const pluginErrors = {
  noHost: () =>
    error("no_host", "This program is a plugin: a host starts it by its manifest, and says where it listens"),
  /** The plugin read its configuration, or our version, and said no. The cause is its own error. */
  refused: (why: TroupeError) =>
    error("refused", `The plugin refused to start: ${why.message}`, {
      metadata: { group: why.group, code: why.code },
      cause: why,
      // Its words may be about its configuration.
      public: false,
    }),
  openTimedOut: (timeoutMs: number, plugin?: string) =>
    error(
      "open_timed_out",
      `${plugin === undefined ? "The plugin" : `Plugin ${plugin}`} didn't say within ${timeoutMs} ms that it is ready`,
      { statusCode: 504, metadata: { timeoutMs, ...(plugin !== undefined && { plugin }) } },
    ),
  versionUnsupported: (version: number, supported: readonly number[]) =>
    error(
      "version_unsupported",
      `The plugin chose version ${version}; this host speaks ${supported.join(", ")}`,
      {
        metadata: { version, supported },
      },
    ),
  encodingUnsupported: (encoding: number) =>
    error("encoding_unsupported", `The plugin chose encoding ${encoding}, which this host doesn't know`, {
      metadata: { encoding },
    }),
  /** What the plugin says of itself can't be: a doubled name, a name that is too long, too much of something. */
  badDeclaration: (why: string, cause?: unknown) =>
    error("bad_declaration", `What the plugin says that it contributes can't be: ${why}`, { cause }),
  /** The plugin broke the contract. The session ends: nothing that it says later can be trusted. */
  violation: (why: string, cause?: unknown) =>
    error("violation", `The plugin broke the contract: ${why}`, { cause }),
  undeclared: (what: string, declared: readonly string[]) =>
    error(
      "undeclared",
      `The plugin declared no ${what}${declared.length === 0 ? "" : `; it has ${declared.join(", ")}`}`,
      { statusCode: 404, metadata: { declared } },
    ),
  /** The plugin is gone. What it was asked may have happened or not. */
  ended: (cause?: unknown) => error("ended", "The plugin ended", { cause }),
  closed: () => error("closed", "The plugin was closed", { statusCode: 503 }),
  callTimedOut: (name: string, timeoutMs: number) =>
    error("call_timed_out", `The plugin's "${name}" gave no answer within ${timeoutMs} ms`, {
      statusCode: 504,
      metadata: { name, timeoutMs },
    }),
  callAborted: (name: string, reason: unknown) =>
    error("call_aborted", `The call of the plugin's "${name}" was aborted`, {
      statusCode: 499,
      cause: reason,
    }),
  /** The call that `next` was part of is over. */
  nextRevoked: () =>
    error("next_revoked", "The call is over: next can't be called any more", { statusCode: 409 }),
  notAStream: (whose: string) =>
    error("not_a_stream", `What ${whose} gave isn't a stream of chunks: an async iterable`),
  tooManyCalls: (limit: number) =>
    error("too_many_calls", `${limit} calls wait for answers of this plugin already`, {
      statusCode: 503,
      retryable: true,
      metadata: { limit },
    }),
  frameTooLong: (bytes: number, limit: number) =>
    error("frame_too_long", `A frame of ${bytes} bytes; the limit is ${limit}`, {
      statusCode: 413,
      metadata: { bytes, limit },
    }),
  /** What middleware is called with has no form that a session carries. */
  cannotShow: (cause: unknown) =>
    error("cannot_show", cause instanceof Error ? cause.message : String(cause), { statusCode: 400, cause }),
  /** The plugin takes nothing in, and what waits for it has reached its limit. */
  stalled: (what: "bytes" | "frames", limit: number) =>
    error("stalled", `The plugin takes nothing more in: the limit of ${limit} ${what} that wait is reached`, {
      statusCode: 503,
      metadata: { what, limit },
    }),
};

/** Errors of `troupe-plugin.toml`, found before any code of the plugin runs. */
export const manifestErrors = {
  unreadable: (file: string, cause: unknown) =>
    hidden("manifest_unreadable", `${file} ${unreadBecause(cause)}`, { metadata: { file }, cause }),
  tooLarge: (file: string, limit: number) =>
    hidden("manifest_too_large", `${file} is larger than ${limit} bytes`, { metadata: { file, limit } }),
  malformed: (file: string, cause: unknown) =>
    hidden("manifest_malformed", `${file} isn't TOML: ${notToml(cause)}`, {
      metadata: { file },
      cause,
    }),
  invalid: (file: string, key: string, value: unknown, accepted: string) =>
    hidden("manifest_invalid", `${file}: ${key} is ${shown(value)}, and must be ${accepted}`, {
      metadata: { file, key, accepted },
    }),
  unknownKey: (file: string, key: string, suggestion: string | undefined) =>
    hidden("manifest_unknown_key", `${file}: there is no key ${key}${hint(suggestion)}`, {
      metadata: { file, key },
    }),
  incompatible: (file: string, range: string, version: string) =>
    hidden("incompatible", `${file}: compat.troupe is "${range}", and this is Troupe ${version}`, {
      metadata: { file, range, version },
    }),
};

/** Errors of the files that a manifest names. */
export const fileErrors = {
  noPython: (file: string) =>
    hidden("python_missing", `${file}: there is no python3 in the PATH, and TROUPE_PYTHON names none`, {
      metadata: { file },
    }),
  missing: (file: string, key: string, path: string) =>
    hidden("file_missing", `${path}, which ${key} of ${file} names, isn't there`, {
      metadata: { file, key, path },
    }),
  notPlain: (file: string, key: string, path: string, what: string) =>
    hidden("file_refused", `${path}, which ${key} of ${file} names, is ${what}: it must be a plain file`, {
      metadata: { file, key, path },
    }),
  unreadable: (file: string, key: string, path: string, cause: unknown) =>
    hidden("file_unreadable", `${path}, which ${key} of ${file} names, can't be read: ${reasonOf(cause)}`, {
      metadata: { file, key, path },
      cause,
    }),
  notListed: (file: string, path: string) =>
    hidden(
      "file_not_listed",
      `${path} isn't among the files under integrity of ${file}, nor pinned, and isn't run: list it there, or pin the plugin anew (troupe plugins pin)`,
      {
        metadata: { file, path },
      },
    ),
  tooLarge: (path: string, limit: number) =>
    hidden("file_too_large", `${path} is larger than ${limit} bytes`, { metadata: { path, limit } }),
  changed: (file: string, path: string, digests: { expected: string; found: string }) =>
    hidden(
      "integrity_mismatch",
      `${path} isn't the file that ${file} speaks of: its SHA-256 is ${digests.found}, and under integrity it is ${digests.expected}`,
      { metadata: { file, path, ...digests } },
    ),
};

/** Errors of a plugin's configuration. Its values stay out of them: they may be secrets. */
export const configurationErrors = {
  takesNone: (id: string) =>
    hidden("config_invalid", `Plugin ${id}: an actor in an isolate takes no configuration`, {
      metadata: { id },
    }),
  invalid: (id: string, schema: string, wrong: { at: string; why: string }) =>
    hidden(
      "config_invalid",
      `Plugin ${id}: its configuration doesn't fit ${schema}: at ${wrong.at}: ${wrong.why}`,
      {
        metadata: { plugin: id, schema, ...wrong },
      },
    ),
  badSchema: (schema: string, cause: unknown) =>
    hidden("config_schema_invalid", `${schema} isn't a JSON Schema: ${reasonOf(cause)}`, {
      metadata: { schema },
      cause,
    }),
};

/** Errors of signatures, and of the trust that a host's user has or hasn't. */
export const signatureErrors = {
  missing: (id: string, file: string) =>
    hidden("signature_missing", `Plugin ${id}: the policy wants a signature, and ${file}.sig isn't there`, {
      metadata: { plugin: id, file },
    }),
  invalid: (id: string, file: string, keys: number) =>
    hidden(
      "signature_invalid",
      `Plugin ${id}: ${file}.sig is no signature of ${file} by ${keys === 1 ? "the trusted key" : `one of the ${keys} trusted keys`}`,
      { metadata: { plugin: id, file, keys } },
    ),
  notPinned: (id: string, file: string) =>
    hidden(
      "not_pinned",
      `Plugin ${id}: ${file} is signed, and has no integrity.sha256: nothing says which code was meant`,
      { metadata: { plugin: id, file } },
    ),
  unreadable: (file: string, cause: unknown) =>
    hidden("signature_unreadable", `${file} can't be read: ${reasonOf(cause)}`, {
      metadata: { file },
      cause,
    }),
  badKey: (key: string) =>
    hidden("key_invalid", `A trusted key is ${shown(key)}, and must be "ed25519:" and 32 bytes in Base64`, {
      metadata: { key },
    }),
  untrusted: (id: string, what: string) =>
    hidden(
      "untrusted",
      `Plugin ${id} is ${what}, which runs in this process: that is for those who trust it (troupe plugins enable ${id} --trust, or \`trusted: true\`)`,
      { metadata: { plugin: id } },
    ),
  overrideRelative: (id: string, variable: string, path: string) =>
    hidden("override_relative", `Plugin ${id}: ${variable} is "${path}", and must be an absolute path`, {
      metadata: { plugin: id, variable, path },
    }),
  overrideRefused: (id: string, variable: string) =>
    hidden(
      "override_refused",
      `Plugin ${id}: ${variable} names another library, and the policy wants signatures: it is for development alone`,
      { metadata: { plugin: id, variable } },
    ),
};

/** Errors of plugins that can't be activated together, or not in this host. */
export const activationErrors = {
  required: (id: string, file: string, cause: TroupeError) =>
    hidden("required_failed", `Plugin ${id} is required and can't be started: ${cause.message}`, {
      metadata: { plugin: id, file, group: cause.group, code: cause.code },
      cause,
    }),
  /** Its guardrails would guard nothing, and its subscribers hear nothing. */
  noRelay: (id: string) =>
    hidden(
      "no_relay",
      `Plugin ${id} may have middleware, and what runs has no relay: give it one, setup({ relay: createRelay() }), or start it anew with the plugin`,
      { metadata: { plugin: id } },
    ),
  /** A registry that shares the relay has it, or it was registered there by the program itself. */
  inRelay: (id: string, cause: TroupeError) =>
    error(
      "in_relay",
      `Plugin ${id} can't be in this relay twice: ${cause.message}. Registries that share a relay share its guardrails: give the plugin to one of them, or each a relay of its own`,
      { statusCode: 409, metadata: { plugin: id }, cause },
    ),
  /** Of bare code: it has no manifest, and so it is nobody's plugin. */
  bareCodeNotInForce: (name: string) =>
    hidden(
      "not_in_force",
      `${name} has middleware, which isn't in force: pluginActor was given bare code (library or wasm). Give it a manifest, and name that: pluginActor({ plugin })`,
      { metadata: { plugin: name } },
    ),
  /** It runs, and couldn't be started anew. */
  notReplaced: (id: string, cause: TroupeError) =>
    hidden("not_replaced", `Plugin ${id} goes on as it was, for it can't be started anew: ${cause.message}`, {
      metadata: { plugin: id, group: cause.group, code: cause.code },
      cause,
    }),
  /** It is optional, and none of its id runs. */
  leftOut: (id: string, cause: TroupeError) =>
    hidden("left_out", `Plugin ${id} was left out, for it can't be started: ${cause.message}`, {
      statusCode: 503,
      metadata: { plugin: id, group: cause.group, code: cause.code },
      cause,
    }),
  moduleFailed: (id: string, path: string, cause: unknown) =>
    hidden("module_failed", `Plugin ${id}: ${path} can't be imported: ${reasonOf(cause)}`, {
      metadata: { plugin: id, path },
      cause,
    }),
  notAPlugin: (id: string, path: string) =>
    hidden(
      "not_a_plugin",
      `Plugin ${id}: the default export of ${path} isn't a plugin: an object with a name, and middleware or actors`,
      { metadata: { plugin: id, path } },
    ),
  manifestNeeded: (id: string, kind: string) =>
    hidden(
      "manifest_needed",
      `Plugin ${id}: a ${kind} plugin is named by its manifest, which pins the library that it loads`,
      { metadata: { plugin: id, kind } },
    ),
  idTaken: (id: string, files: readonly string[]) =>
    hidden("id_taken", `Two plugins have the id ${id}: ${files.join(" and ")}`, {
      metadata: { plugin: id, files },
    }),
  capabilityMissing: (id: string, file: string, capability: string) =>
    hidden(
      "capability_missing",
      `Plugin ${id} declares ${capability}, which ${file} doesn't list under capabilities`,
      { metadata: { plugin: id, file, capability } },
    ),
  /** Whoever called may do it again where it is restarting; what runs of the plugin is gone in both cases. */
  unavailable: (id: string, state: "restarting" | "lost", cause: TroupeError | undefined) =>
    error(
      state,
      // What isn't for callers is in the log, since it ended.
      `Plugin ${id} ${state === "lost" ? "is gone, and isn't started again" : "is being started again"}${cause?.public ? `: ${cause.message}` : ""}`,
      {
        statusCode: 503,
        retryable: state === "restarting",
        metadata: { plugin: id, ...(cause && { group: cause.group, code: cause.code }) },
        cause,
      },
    ),
  whichActor: (declared: readonly string[]) =>
    error(
      "which_actor",
      declared.length === 0
        ? "The plugin has no actors"
        : `The plugin has several actors (${declared.join(", ")}): say which one with \`actor\``,
      { metadata: { declared }, public: false },
    ),
  configuredTwice: (id: string) =>
    error(
      "configured_twice",
      `Plugin ${id} is among the registry's plugins, and configured there: pluginActor can't configure it again (an installed one is by troupe plugins enable --config)`,
      { statusCode: 400, metadata: { plugin: id } },
    ),
  notStarted: () =>
    error("not_started", "The plugins can't be reloaded: their registry doesn't run", { statusCode: 409 }),
  declaresOther: (id: string) =>
    error("declares_other", `Plugin ${id} was started again, and declares other middleware than before`, {
      metadata: { plugin: id },
    }),
  kindUnknown: (id: string, wire: number) =>
    error("kind_unknown", `Plugin ${id} declares middleware of kind ${wire}, which this host doesn't know`, {
      metadata: { plugin: id, kind: wire },
    }),
  kindUnsupported: (id: string, kind: string) =>
    error(
      "kind_unsupported",
      `Plugin ${id} declares a ${kind}: it answers in the turn in which it is asked, which no plugin can`,
      {
        metadata: { plugin: id, kind },
      },
    ),
};

/** What `setup({ runtime })` keeps out. */
export const runtimeErrors = {
  refused: (what: string) =>
    error(
      "runtime_refused",
      `${what} can't run in a program with \`runtime: "wasm"\`: it takes modules of WebAssembly`,
      {
        statusCode: 500,
      },
    ),
};

/** Errors of optional packages. */
export const packageErrors = {
  missing: (name: string, neededFor: string, cause: unknown) =>
    new TroupeError("package", "missing", `${neededFor} needs the package ${name}: npm install ${name}`, {
      statusCode: 500,
      metadata: { install: `npm install ${name}` },
      cause,
    }),
};

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function hint(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `. Did you mean ${suggestion}?`;
}

/** A value as the manifest has it; a long one is cut. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}
