/**
 * Every error of agent-os, by `group.code`. The text says what happened and, where there is something to do, what.
 */
import { TroupeError } from "@troupe/base";

type Metadata = Readonly<Record<string, unknown>>;

/** An error of agent-os. */
export function error(
  statusCode: number,
  group: string,
  code: string,
  message: string,
  options: { metadata?: Metadata; retryable?: boolean; cause?: unknown } = {},
): TroupeError {
  return new TroupeError(group, code, message, { statusCode, ...options });
}

/** Errors of parts that are installed by their users. */
export const packageErrors = {
  moved: (name: string, use: string) =>
    error(410, "package", "moved", `${name} is something else here: ${use}`, { metadata: { name, use } }),
  missing: (name: string, install: string, cause: unknown) =>
    error(500, "package", "missing", `${name} is not installed: ${install}`, {
      metadata: { name, install },
      cause,
    }),
};

/** Errors of the program's own tools. */
export const hostToolErrors = {
  /** `at`: a JSON pointer into the arguments. */
  invalidArguments: (name: string, how: { readonly at: string; readonly why: string }) =>
    error(400, "tool", "arguments_invalid", `${name} wasn't run: at ${how.at} of its arguments, ${how.why}`, {
      metadata: { name, ...how },
    }),
};

const UNSUPPORTED =
  "They take Linux, bubblewrap 0.8 or later (apt-get install bubblewrap), util-linux, and a kernel that lets it make user namespaces";

/** Errors of sandboxes. */
export const sandboxErrors = {
  closed: () => error(503, "sandbox", "closed", "The sandbox is shut down", { retryable: true }),
  bootFailed: (cause: unknown) =>
    error(500, "sandbox", "boot_failed", `The sandbox could not boot: ${textOf(cause)}`, { cause }),
  deadlineExceeded: (timeoutMs: number, what = "The command") =>
    error(408, "sandbox", "deadline_exceeded", `${what} took longer than ${timeoutMs} ms and was ended`, {
      metadata: { timeoutMs },
    }),
  /** Sandboxes of this kind can't be here. */
  unsupported: (why: string) =>
    error(501, "sandbox", "unsupported", `Sandboxes of processes can't run here: ${why}. ${UNSUPPORTED}`, {
      metadata: { needs: "bubblewrap", install: "apt-get install bubblewrap", why },
    }),
  lost: (why: string, what = "The sandbox ended") =>
    error(500, "sandbox", "lost", `${what}: ${why}`, { retryable: true, metadata: { why } }),
  /** A mount can't be made, or not by this driver. */
  mountFailed: (path: string, cause: unknown) =>
    TroupeError.is(cause)
      ? cause
      : error(500, "sandbox", "mount_failed", `${path} can't be mounted: ${textOf(cause)}`, {
          metadata: { path },
          cause,
        }),
  noPorts: () =>
    error(
      400,
      "sandbox",
      "no_ports",
      "Processes of this sandbox can't listen: that takes the process driver",
    ),
  replaced: () =>
    error(409, "sandbox", "replaced", "The sandbox's files were replaced, and what ran with them"),
  cancelled: () => error(499, "sandbox", "cancelled", "The command was cancelled"),
  busy: (limit: number) =>
    error(503, "sandbox", "busy", `${limit} operations wait for a sandbox worker; try again later`, {
      retryable: true,
      metadata: { limit },
    }),
  /** `code` is the system's name of it: ENOENT, EISDIR, EEXIST … */
  fileFailed: (code: string, message: string) =>
    error(400, "sandbox", "file_failed", message, { metadata: { code } }),
  /** What a caller sent isn't what the action takes. */
  invalidArgument: (name: string, expected: string) =>
    error(400, "sandbox", "invalid_argument", `${name} must be ${expected}`, { metadata: { name } }),
  unknownOption: (action: string, name: string, nearest: string | undefined) =>
    error(400, "sandbox", "unknown_option", `${action} has no option "${name}"${hint(nearest)}`, {
      metadata: { name },
    }),
  batchTooLarge: (name: string, limit: number) =>
    error(413, "sandbox", "batch_too_large", `${name} has more than ${limit} entries`, {
      metadata: { name, limit },
    }),
  archiveInvalid: (why: string) =>
    error(400, "sandbox", "archive_invalid", `The archive can't be taken: ${why}`),
  archiveTooLarge: (limit: number) =>
    error(413, "sandbox", "archive_too_large", `The archive is larger than ${limit} bytes`, {
      metadata: { limit },
    }),
  invalidTimeout: (limit: number) =>
    error(400, "sandbox", "invalid_timeout", `timeoutMs must be a number from 1 to ${limit}`, {
      metadata: { limit },
    }),
};

/** Errors of kept states of a sandbox's files. */
export const snapshotErrors = {
  notFound: (snapshotId: string) =>
    error(404, "sandbox", "snapshot_not_found", `There is no snapshot "${snapshotId}"`, {
      metadata: { snapshotId },
    }),
  tooMany: (limit: number) =>
    error(429, "sandbox", "too_many_snapshots", `A workspace can have ${limit} snapshots: delete one`, {
      metadata: { limit },
    }),
  notDurable: () =>
    error(409, "sandbox", "not_durable", 'Files in memory (root: "memory") have no snapshots: export them'),
};

/** Errors of processes in a sandbox. */
export const processErrors = {
  notFound: (pid: number) =>
    error(404, "process", "not_found", `There is no process ${pid}, or it ended long ago`, {
      metadata: { pid },
    }),
  shellNotFound: (shellId: string) =>
    error(404, "shell", "not_found", `There is no shell ${shellId}, or it ended long ago`, {
      metadata: { shellId },
    }),
  tooMany: (limit: number) =>
    error(429, "process", "too_many", `${limit} processes run: wait for one or end one`, {
      metadata: { limit },
    }),
  stdinClosed: () =>
    error(
      409,
      "process",
      "stdin_closed",
      "The process's stdin is closed; `streamStdin: true` leaves it open until `closeProcessStdin`",
    ),
  shellEnded: (shellId: string) =>
    error(409, "shell", "ended", `The shell ${shellId} has ended: open another one`, {
      metadata: { shellId },
    }),
  stdinFull: (limit: number) =>
    error(413, "process", "stdin_full", `More than ${limit} bytes wait for the process to read them`, {
      metadata: { limit },
    }),
  timedOut: (timeoutMs: number) =>
    error(408, "process", "timed_out", `The process ran longer than ${timeoutMs} ms and was ended`, {
      metadata: { timeoutMs },
    }),
  outputExceeded: (limit: number) =>
    error(413, "process", "output_exceeded", `The process printed more than ${limit} bytes and was ended`, {
      metadata: { limit },
    }),
  limitExceeded: (limit: string) => {
    const help = limit === "files" ? ". Remove some: a command that does is not ended" : "";
    const message = `The sandbox used more than its ${limit}, and the process was ended${help}`;
    return error(413, "process", "limit_exceeded", message, { metadata: { limit } });
  },
  lost: (cause: unknown) =>
    error(500, "process", "lost", `The process could not run to its end: ${textOf(cause)}`, { cause }),
};

/** Errors of cron jobs. */
export const cronErrors = {
  invalid: (what: string) => error(400, "cron", "invalid", `scheduleCron: ${what}`),
  notFound: (id: string) =>
    error(404, "cron", "not_found", `There is no cron job "${id}"`, { metadata: { id } }),
};

/** Errors of agents: programs that speak ACP. `stderr` in the metadata is the end of what they printed there. */
export const agentErrors = {
  unknown: (name: string, known: readonly string[]) =>
    error(400, "agent", "unknown", unknownAgent(name, known), { metadata: { name, known } }),
  spawnFailed: (command: string, cause: unknown) =>
    error(500, "agent", "spawn_failed", `Can't start ${command}: ${textOf(cause)}`, {
      metadata: { command },
      cause,
    }),
  exited: (how: { readonly code: number | null; readonly signal: string | null; readonly stderr: string }) =>
    error(502, "agent", "exited", `The agent ended (${how.signal ?? `code ${how.code}`})`, { metadata: how }),
  startTimedOut: (how: {
    readonly timeoutMs: number;
    readonly stderr: string;
    readonly noise: string | undefined;
  }) =>
    error(504, "agent", "start_timed_out", `The agent was not ready after ${how.timeoutMs} ms`, {
      metadata: how,
    }),
  cancelIgnored: (how: { readonly timeoutMs: number; readonly stderr: string }) =>
    error(504, "agent", "cancel_ignored", "The agent went on behind a cancel: it was ended", {
      metadata: how,
    }),
  notAcp: (how: { readonly line: string; readonly stderr: string }) =>
    error(502, "agent", "not_acp", "What the agent writes on its stdout is not ACP", { metadata: how }),
  /** ACP has no such answer to this. */
  answerInvalid: (how: { readonly method: string; readonly stderr: string }) =>
    error(
      502,
      "agent",
      "answer_invalid",
      `The agent answered ${how.method} with something that ACP doesn't have`,
      {
        metadata: how,
      },
    ),
  messageTooLong: (how: { readonly limit: number; readonly stderr: string }) =>
    error(502, "agent", "message_too_long", `A message of the agent is longer than ${how.limit} bytes`, {
      metadata: how,
    }),
  protocolVersion: (how: { readonly found: unknown; readonly supported: number; readonly stderr: string }) =>
    error(
      502,
      "agent",
      "protocol_version",
      `The agent speaks ACP ${JSON.stringify(how.found)}, not ${how.supported}`,
      {
        metadata: how,
      },
    ),
  toolFailed: (name: string, how: "failed" | "unfinished" | "superseded") =>
    error(502, "agent", "tool_failed", `The agent's tool call ${name} is ${how}`, {
      metadata: { name, how },
    }),
  refused: (how: {
    readonly method: string;
    readonly code: number;
    readonly message: string;
    /** What the agent says beside it: many say "Internal error", and here why. */
    readonly data: unknown;
    readonly stderr: string;
  }) => {
    const { method, code, message, data, stderr } = how;
    const details = detailsOf(data);
    const said = details === undefined ? message : `${message} (${details})`;
    return error(502, "agent", "refused", `The agent refused ${method}: ${said}`, {
      metadata: { method, code, stderr, ...(data === undefined ? {} : { data }) },
    });
  },
  mcpUnsupported: (server: string, way: string) =>
    error(
      500,
      "agent",
      "mcp_unsupported",
      `The agent says that it reaches no MCP servers over ${way}: take "${server}" out of its mcpServers, or give it a command`,
      { metadata: { server, way } },
    ),
  authUnknown: (method: string, known: readonly string[]) =>
    error(
      500,
      "agent",
      "auth_unknown",
      `The agent has no way to authenticate that is called "${method}"; there are: ${known.join(", ") || "none"}`,
      { metadata: { method, known } },
    ),
  authRequired: (known: readonly string[], stderr: string) =>
    error(
      500,
      "agent",
      "auth_required",
      `The agent wants to know who asks: give it a key in its env, or an authMethod, one of ${known.join(", ") || "none"}`,
      { metadata: { known, stderr } },
    ),
};

/** Group `models`. */
export const modelErrors = {
  tokenRequired: () =>
    error(
      403,
      "models",
      "token_required",
      "Only a session's own agent may call its models, at its own address",
    ),
  unknownPath: (path: string) =>
    error(
      403,
      "models",
      "unknown_path",
      `No guardrail would see what ${path} asks: nothing was sent. models.unknownPaths: "pass" lets it through`,
    ),
  methodNotAllowed: (method: string) =>
    error(405, "models", "method_not_allowed", `A model is called by POST, not by ${method}`),
};

/** Errors of sessions. */
export const sessionErrors = {
  notFound: (sessionId: string) =>
    error(404, "session", "not_found", `There is no session "${sessionId}"`, { metadata: { sessionId } }),
  exists: (sessionId: string) =>
    error(409, "session", "exists", `There is a session "${sessionId}" already: open it with openSession`, {
      metadata: { sessionId },
    }),
  invalidId: (limit: number) =>
    error(
      400,
      "session",
      "invalid_id",
      `A session's name is Unicode text of 1 to ${limit} characters and isn't "vm"`,
      {
        metadata: { limit },
      },
    ),
  otherAgent: (sessionId: string, agent: string) =>
    error(409, "session", "other_agent", `Session "${sessionId}" belongs to the agent "${agent}"`, {
      metadata: { sessionId, agent },
    }),
  tooMany: (limit: number) =>
    error(429, "session", "too_many", `An actor can have ${limit} sessions`, { metadata: { limit } }),
  promptActive: (sessionId: string) =>
    error(
      409,
      "session",
      "prompt_active",
      `Session "${sessionId}" works on a prompt: wait for it or cancel it`,
      {
        metadata: { sessionId },
      },
    ),
  promptUncertain: (sessionId: string, key: string, outcome: string) =>
    error(
      409,
      "session",
      "prompt_uncertain",
      `The prompt "${key}" was given to the agent and didn't end well${outcome === "" ? "" : ` (${outcome})`}: see the session's history, then ask again with another idempotencyKey`,
      { metadata: { sessionId, idempotencyKey: key, outcome } },
    ),
  policyTooWide: (asked: string, allowed: string) =>
    error(
      403,
      "session",
      "policy_too_wide",
      `permissionPolicy "${asked}" is wider than the actor's own, ${allowed}`,
      { metadata: { asked, allowed } },
    ),
  trajectoryTooLarge: (sessionId: string, limit: number) =>
    error(
      413,
      "session",
      "trajectory_too_large",
      `Session "${sessionId}" has more than ${limit} bytes of events: too many for one trajectory`,
      { metadata: { sessionId, limit } },
    ),
  closed: (sessionId: string) =>
    error(409, "session", "closed", `Session "${sessionId}" was closed`, { metadata: { sessionId } }),
  invalid: (what: string) => error(400, "session", "invalid", what),
};

/** Errors of the configuration: the program is wrong, not a call. */
export const configErrors = {
  invalidOption: (key: string, expected: string) =>
    error(400, "config", "invalid_option", `agentOS: "${key}" must be ${expected}`, { metadata: { key } }),
  reservedName: (option: string, name: string) =>
    error(400, "config", "reserved_name", `agentOS: ${option}.${name} is a name of its own: take another`, {
      metadata: { option, name },
    }),
  unknownOption: (where: string, key: string, nearest: string | undefined) =>
    error(400, "config", "unknown_option", `${where} has no option "${key}"${hint(nearest)}`, {
      metadata: { key },
    }),
  /** Where agentOS has them. */
  optionsInside: () =>
    error(
      400,
      "config",
      "unknown_option",
      'agentOS has no option "options": what stood in it stands at the top, as in agentOS({ agents })',
      { metadata: { key: "options" } },
    ),
};

function hint(nearest: string | undefined): string {
  return nearest === undefined ? "" : `. Did you mean "${nearest}"?`;
}

function unknownAgent(name: string, known: readonly string[]): string {
  if (known.length === 0) return "This workspace has no agents: name one in agentOS({ agents })";
  return `There is no agent "${name}"; there are: ${known.join(", ")}`;
}

function detailsOf(data: unknown): string | undefined {
  if (typeof data === "string") return data;
  if (typeof data !== "object" || data === null) return undefined;
  const [found] = ["details", "message", "reason"].map((key) => Reflect.get(data, key)).filter(isText);
  return found;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** What a cause says, for a message. */
export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
