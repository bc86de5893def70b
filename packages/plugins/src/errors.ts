/**
 * Every error of the plugins package, by `group.code`. The text says what happened, and which plugin it was.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, ...options });
}

/** Group `plugin`: what is wrong with a session, whatever carries it. */
export const pluginErrors = {
  /** The plugin read its configuration, or our version, and said no. The cause is its own error. */
  refused: (why: TroupeError) =>
    error("refused", `The plugin refused to start: ${why.message}`, {
      metadata: { group: why.group, code: why.code },
      cause: why,
      // Its words may be about its configuration.
      public: false,
    }),
  openTimedOut: (timeoutMs: number) =>
    error("open_timed_out", `The plugin didn't say that it is ready within ${timeoutMs} ms`, {
      statusCode: 504,
      metadata: { timeoutMs },
    }),
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
    error("manifest_unreadable", `${file} can't be read: ${reasonOf(cause)}`, { metadata: { file }, cause }),
  tooLarge: (file: string, limit: number) =>
    error("manifest_too_large", `${file} is larger than ${limit} bytes`, { metadata: { file, limit } }),
  malformed: (file: string, cause: unknown) =>
    error("manifest_malformed", `${file} isn't TOML: ${reasonOf(cause)}`, { metadata: { file }, cause }),
  invalid: (file: string, key: string, value: unknown, accepted: string) =>
    error("manifest_invalid", `${file}: ${key} is ${shown(value)}, and must be ${accepted}`, {
      metadata: { file, key, accepted },
    }),
  unknownKey: (file: string, key: string, suggestion: string | undefined) =>
    error("manifest_unknown_key", `${file}: there is no key ${key}${hint(suggestion)}`, {
      metadata: { file, key },
    }),
  incompatible: (file: string, range: string, version: string) =>
    error("incompatible", `${file}: compat.troupe is "${range}", and this is Troupe ${version}`, {
      metadata: { file, range, version },
    }),
};

/** Errors of the files that a manifest names. */
export const fileErrors = {
  noPython: (file: string) =>
    error("python_missing", `${file}: there is no python3 in the PATH, and TROUPE_PYTHON names none`, {
      metadata: { file },
    }),
  missing: (file: string, key: string, path: string) =>
    error("file_missing", `${path}, which ${key} of ${file} names, isn't there`, {
      metadata: { file, key, path },
    }),
  notPlain: (file: string, key: string, path: string, what: string) =>
    error("file_refused", `${path}, which ${key} of ${file} names, is ${what}: it must be a plain file`, {
      metadata: { file, key, path },
    }),
  unreadable: (file: string, key: string, path: string, cause: unknown) =>
    error("file_unreadable", `${path}, which ${key} of ${file} names, can't be read: ${reasonOf(cause)}`, {
      metadata: { file, key, path },
      cause,
    }),
  notListed: (file: string, path: string) =>
    error("file_not_listed", `${path} isn't among the files under integrity of ${file}, and isn't run`, {
      metadata: { file, path },
    }),
  tooLarge: (path: string, limit: number) =>
    error("file_too_large", `${path} is larger than ${limit} bytes`, { metadata: { path, limit } }),
  changed: (file: string, path: string, digests: { expected: string; found: string }) =>
    error(
      "integrity_mismatch",
      `${path} isn't the file that ${file} speaks of: its SHA-256 is ${digests.found}, and under integrity it is ${digests.expected}`,
      { metadata: { file, path, ...digests } },
    ),
};

/** Errors of a plugin's configuration. Its values stay out of them: they may be secrets. */
export const configurationErrors = {
  takesNone: (id: string) =>
    error("config_invalid", `Plugin ${id}: an actor in an isolate takes no configuration`, {
      metadata: { id },
    }),
  invalid: (id: string, schema: string, wrong: { at: string; why: string }) =>
    error(
      "config_invalid",
      `Plugin ${id}: its configuration doesn't fit ${schema}: at ${wrong.at}: ${wrong.why}`,
      {
        metadata: { plugin: id, schema, ...wrong },
      },
    ),
  badSchema: (schema: string, cause: unknown) =>
    error("config_schema_invalid", `${schema} isn't a JSON Schema: ${reasonOf(cause)}`, {
      metadata: { schema },
      cause,
    }),
};

/** Errors of signatures, and of the trust that a host's user has or hasn't. */
export const signatureErrors = {
  missing: (id: string, file: string) =>
    error("signature_missing", `Plugin ${id}: the policy wants a signature, and ${file}.sig isn't there`, {
      metadata: { plugin: id, file },
    }),
  invalid: (id: string, file: string, keys: number) =>
    error(
      "signature_invalid",
      `Plugin ${id}: ${file}.sig is no signature of ${file} by ${keys === 1 ? "the trusted key" : `one of the ${keys} trusted keys`}`,
      { metadata: { plugin: id, file, keys } },
    ),
  notPinned: (id: string, file: string) =>
    error(
      "not_pinned",
      `Plugin ${id}: ${file} is signed, and has no integrity.sha256: nothing says which code was meant`,
      { metadata: { plugin: id, file } },
    ),
  unreadable: (file: string, cause: unknown) =>
    error("signature_unreadable", `${file} can't be read: ${reasonOf(cause)}`, { metadata: { file }, cause }),
  badKey: (key: string) =>
    error("key_invalid", `A trusted key is ${shown(key)}, and must be "ed25519:" and 32 bytes in Base64`, {
      metadata: { key },
    }),
  untrusted: (id: string, what: string) =>
    error(
      "untrusted",
      `Plugin ${id} is ${what}, which runs in this process: that is for those who trust it (troupe plugins enable ${id} --trust, or \`trusted: true\`)`,
      { metadata: { plugin: id } },
    ),
  overrideRelative: (id: string, variable: string, path: string) =>
    error("override_relative", `Plugin ${id}: ${variable} is "${path}", and must be an absolute path`, {
      metadata: { plugin: id, variable, path },
    }),
  overrideRefused: (id: string, variable: string) =>
    error(
      "override_refused",
      `Plugin ${id}: ${variable} names another library, and the policy wants signatures: it is for development alone`,
      { metadata: { plugin: id, variable } },
    ),
};

/** Errors of pins. */
export const pinErrors = {
  mismatch: (id: string, what: string, digests: { expected: string; found: string }) =>
    error(
      "pin_mismatch",
      `Plugin ${id}: ${what} isn't what was pinned: its SHA-256 is ${digests.found}, and pinned is ${digests.expected}`,
      { metadata: { plugin: id, what, ...digests } },
    ),
};

/** Errors of plugins that can't be activated together, or not in this host. */
export const activationErrors = {
  required: (id: string, file: string, cause: TroupeError) =>
    error("required_failed", `Plugin ${id} is required and can't be started: ${cause.message}`, {
      metadata: { plugin: id, file, group: cause.group, code: cause.code },
      cause,
    }),
  /** It runs, and couldn't be started anew. */
  notReplaced: (id: string, cause: TroupeError) =>
    error("not_replaced", `Plugin ${id} goes on as it was, for it can't be started anew: ${cause.message}`, {
      metadata: { plugin: id, group: cause.group, code: cause.code },
      cause,
      public: false,
    }),
  /** It is optional, and none of its id runs. */
  leftOut: (id: string, cause: TroupeError) =>
    error("left_out", `Plugin ${id} was left out, for it can't be started: ${cause.message}`, {
      statusCode: 503,
      metadata: { plugin: id, group: cause.group, code: cause.code },
      cause,
      public: false,
    }),
  moduleFailed: (id: string, path: string, cause: unknown) =>
    error("module_failed", `Plugin ${id}: ${path} can't be imported: ${reasonOf(cause)}`, {
      metadata: { plugin: id, path },
      cause,
    }),
  notAPlugin: (id: string, path: string) =>
    error(
      "not_a_plugin",
      `Plugin ${id}: the default export of ${path} isn't a plugin: an object with a name, and middleware or actors`,
      { metadata: { plugin: id, path } },
    ),
  manifestNeeded: (id: string, kind: string) =>
    error(
      "manifest_needed",
      `Plugin ${id}: a ${kind} plugin is named by its manifest, which pins the library that it loads`,
      { metadata: { plugin: id, kind } },
    ),
  idTaken: (id: string, files: readonly string[]) =>
    error("id_taken", `Two plugins have the id ${id}: ${files.join(" and ")}`, {
      metadata: { plugin: id, files },
    }),
  capabilityMissing: (id: string, file: string, capability: string) =>
    error(
      "capability_missing",
      `Plugin ${id} declares ${capability}, which ${file} doesn't list under capabilities`,
      { metadata: { plugin: id, file, capability } },
    ),
  /** Whoever called may do it again where it is restarting; what runs of the plugin is gone in both cases. */
  unavailable: (id: string, state: "restarting" | "lost", cause: TroupeError | undefined) =>
    error(
      state,
      `Plugin ${id} ${state === "lost" ? "is gone, and isn't started again" : "is being started again"}${cause === undefined ? "" : `: ${cause.message}`}`,
      {
        statusCode: 503,
        retryable: state === "restarting",
        metadata: { plugin: id, ...(cause && { group: cause.group, code: cause.code }) },
        cause,
        // Its last words are for who runs the host.
        public: cause === undefined || cause.public,
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
      `Plugin ${id} is among the registry's plugins, and configured there: pluginActor can't configure it again`,
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

/** A process that ended: by its own code, or by a signal. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Errors of worker processes. `stderr` is the last that the process said. */
export const workerErrors = {
  noHost: () =>
    error("no_host", "This program is a plugin: a host starts it by its manifest, and says where it listens"),
  notStarted: (plugin: string, program: string, cause: unknown) =>
    error("worker_not_started", `Plugin ${plugin}: ${program} can't be started: ${reasonOf(cause)}`, {
      metadata: { plugin, program },
      cause,
    }),
  exited: (plugin: string, exit: WorkerExit, stderr: string) =>
    error("worker_exited", `Plugin ${plugin}: its process ended ${ending(exit)}${lastWords(stderr)}`, {
      metadata: { plugin, ...exit, stderr },
    }),
  /** It and what it started had too much of the machine, and were ended. */
  exceeded: (plugin: string, excess: { what: "processes" | "memory"; limit: number }, stderr: string) =>
    error(
      "worker_exceeded",
      `Plugin ${plugin}: its process and what that started had more than ${excess.limit} ${excess.what === "memory" ? "bytes of memory" : "processes"}${lastWords(stderr)}`,
      { metadata: { plugin, ...excess, stderr } },
    ),
  connectTimeout: (plugin: string, timeoutMs: number, details: { refused: number; stderr: string }) =>
    error(
      "worker_connect_timeout",
      `Plugin ${plugin}: its process didn't connect in ${timeoutMs} ms${refusals(details.refused)}${lastWords(details.stderr)}`,
      { metadata: { plugin, timeoutMs, ...details } },
    ),
  disconnected: (plugin: string, stderr: string) =>
    error("worker_disconnected", `Plugin ${plugin}: its process closed the connection${lastWords(stderr)}`, {
      metadata: { plugin, stderr },
    }),
  broken: (plugin: string, cause: unknown) =>
    error("worker_broken", `Plugin ${plugin}: the connection to its process broke: ${reasonOf(cause)}`, {
      metadata: { plugin },
      cause,
    }),
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

function ending({ code, signal }: WorkerExit): string {
  return signal === null ? `with code ${code}` : `by ${signal}`;
}

function refusals(count: number): string {
  return count === 0 ? "" : ` (${count} connections were refused)`;
}

function lastWords(stderr: string): string {
  return stderr === "" ? "" : `. It said last:\n${stderr.trimEnd()}`;
}
