/**
 * Every error that the relay makes, group `relay`. What a tool or a model throws reaches the
 * caller as it is.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("relay", code, message, options);
}

/** Group `relay`. */
export const relayErrors = {
  /** A guardrail said no. `by` is the name that it was registered under; it survives every wire in the metadata. */
  guardrailRejected: (by: string, reason: string) =>
    error("guardrail_rejected", `Guardrail "${by}" rejected the call: ${reason}`, {
      statusCode: 403,
      metadata: { by, reason },
    }),
  /** A middleware in the call's way threw, or answered something that its kind doesn't allow: the call doesn't happen. */
  middlewareFailed: (kind: string, by: string, cause: unknown) =>
    error("middleware_failed", `The ${kind} "${by}" failed`, {
      statusCode: 500,
      metadata: { kind, by },
      cause,
    }),
  /** A middleware or tool answered something of another shape than its kind asks for. */
  badAnswer: (what: string, expected: string) =>
    error("bad_answer", `${what} must answer ${expected}`, { statusCode: 500, metadata: { what, expected } }),
  /** A model's codec threw. `step`: "decode" or "encode". */
  codecFailed: (step: string, cause: unknown) =>
    error("codec_failed", `The codec couldn't ${step} the request`, {
      statusCode: 500,
      metadata: { step },
      cause,
    }),
  /** The provider's stream ended before it had said that it was the whole one. */
  streamTruncated: (what: string) =>
    error("stream_truncated", `The stream of "${what}" ended before its end`, {
      statusCode: 502,
      metadata: { what },
    }),
  /** The provider answered with a failure. Only the end event says this: the caller has read the answer. */
  providerFailed: (what: string, reason: string) =>
    error("provider_failed", `"${what}" failed at its provider: ${reason}`, {
      statusCode: 502,
      metadata: { what, reason },
    }),
  /** Its caller wanted no more of it. */
  streamClosed: (what: string) =>
    error("stream_closed", `The stream of "${what}" was closed by its caller`, { metadata: { what } }),
  /** `part`: "collector" or "finalizer". */
  collectorFailed: (part: string, cause: unknown) =>
    error("collector_failed", `The ${part} of a stream failed`, {
      statusCode: 500,
      metadata: { part },
      cause,
    }),
  deadlineExceeded: (kind: string, by: string, deadlineMs: number) =>
    error("deadline_exceeded", `The ${kind} "${by}" didn't answer within ${deadlineMs} ms`, {
      statusCode: 504,
      metadata: { kind, by, deadlineMs },
    }),
  /** The caller's signal fired. The tool may have run or not. */
  aborted: (what: string, reason: unknown) =>
    error("aborted", `${what} was aborted`, { statusCode: 499, cause: reason }),
  /** Its arguments or its request said something else when guardrails had answered than when they were asked. */
  changedMeanwhile: (what: string) =>
    error(
      "changed_meanwhile",
      `What "${what}" is called with was changed while guardrails thought about it`,
      {
        statusCode: 409,
      },
    ),
  /** Of a tool that runs elsewhere: nobody could hand its caller what the intercept answered. */
  answeredInPlace: (what: string, by: string) =>
    error("answered_in_place", `"${by}" answered in the place of "${what}", which isn't to run then`, {
      statusCode: 403,
      metadata: { what, by },
    }),
  /** `next` was called after its intercept had answered. */
  nextRevoked: (by: string) =>
    error("next_revoked", `"${by}" called next after it had answered`, { metadata: { by } }),

  nameTaken: (kind: string, name: string) =>
    error("name_taken", `There is a ${kind} named "${name}" already`, {
      statusCode: 409,
      metadata: { kind, name },
    }),
  nameMalformed: (limit: number) =>
    error("name_malformed", `A registration's name has 1 to ${limit} characters`, { metadata: { limit } }),
  kindUnknown: (kind: unknown) =>
    error(
      "kind_unknown",
      `There is no kind of middleware ${typeof kind === "string" ? `"${kind}"` : "like that"}`,
    ),
  /** `cause`: what reading it threw. */
  optionInvalid: (option: string, expected: string, cause?: unknown) =>
    error("option_invalid", `${option} must be ${expected}`, {
      metadata: { option, expected },
      ...(cause === undefined ? {} : { cause }),
    }),
  optionUnknown: (option: string, meant: string | undefined) =>
    error(
      "option_unknown",
      `There is no option "${option}"${meant === undefined ? "" : `; is it ${meant}?`}`,
      {
        metadata: { option, ...(meant === undefined ? {} : { meant }) },
      },
    ),
  tooManyRegistrations: (limit: number) =>
    error("too_many_registrations", `More than ${limit} registrations in one place`, {
      statusCode: 429,
      metadata: { limit },
    }),

  scopeEnded: (name: string) => error("scope_ended", `The scope "${name}" has ended`, { metadata: { name } }),
  rootScope: () => error("root_scope", "The root scope can't be ended"),
  foreignScope: (name: string) =>
    error("foreign_scope", `The scope "${name}" is another relay's`, { metadata: { name } }),
  subtypeMissing: () => error("subtype_missing", 'A scope of type "custom" needs categoryProfile.subtype'),

  /** One measurement of a metric mark is wrong: none is emitted. */
  measurementInvalid: (path: string, expected: string) =>
    error("measurement_invalid", `${path} must be ${expected}`, { metadata: { path, expected } }),

  /** A payload is none of its provider's, or can't be read. */
  payloadUnreadable: (codec: string, what: string, cause?: unknown) =>
    error("payload_unreadable", `The codec ${codec} can't read this ${what}`, {
      metadata: { codec, what },
      cause,
    }),
  codecUnknown: (codec: string, known: readonly string[]) =>
    error("codec_unknown", `There is no codec "${codec}", but ${known.join(", ")}`, {
      metadata: { codec, known },
    }),

  /** Flushing waits for the subscriber that asks: it would wait for itself. */
  flushInSubscriber: () =>
    error("flush_in_subscriber", "A subscriber can't wait for its own delivery: flush outside of it"),
  exporterClosed: () => error("exporter_closed", "The exporter was shut down"),
  /** Nobody answered, or not in time. */
  unreachable: (target: string, cause: unknown) =>
    error("unreachable", `${target} can't be reached`, {
      statusCode: 502,
      retryable: true,
      metadata: { target },
      cause,
    }),
  exportRefused: (target: string, status: number) =>
    error("export_refused", `${target} answered ${status}`, {
      statusCode: 502,
      retryable: status === 408 || status === 429 || status >= 500,
      metadata: { target, status },
    }),
  /** OpenTelemetry's exporter gave a batch up. Its error may quote requests: only its kind and code are told. */
  collectorRefused: (cause: unknown) => {
    const { name, code } = Object(cause);
    return error(
      "collector_refused",
      `The collector didn't take a batch: ${String(name)} ${String(code ?? "")}`,
      {
        statusCode: 502,
        metadata: { name: String(name), code: String(code ?? "") },
      },
    );
  },
  /** A document of components has errors: all of them are in the metadata. */
  configInvalid: (
    diagnostics: readonly { readonly level: string; readonly code: string; readonly message: string }[],
  ) => {
    const [first] = diagnostics.filter(({ level }) => level === "error");
    return error(
      "config_invalid",
      `The configuration has errors, the first: ${first?.code}: ${first?.message}`,
      {
        metadata: { diagnostics },
      },
    );
  },
  componentFailed: (kind: string, cause: unknown) =>
    error(
      "component_failed",
      `The component "${kind}" couldn't be set up: ${cause instanceof Error ? cause.message : cause}`,
      {
        statusCode: 500,
        metadata: { kind },
        cause,
      },
    ),
  /** Another package is needed for what was asked, and isn't installed. */
  packageMissing: (name: string, neededFor: string, cause: unknown) =>
    new TroupeError("package", "missing", `${neededFor} needs the package ${name}: npm install ${name}`, {
      metadata: { install: name },
      cause,
    }),
  exportFailed: (path: string, lost: number, cause: unknown) =>
    error("export_failed", `Not all went to ${path}; ${lost} events are lost`, {
      statusCode: 500,
      metadata: { path, lost },
      cause,
    }),
};

/** True for the rejection of a guardrail, wherever the guardrail ran and however many wires the error came over. */
export function isGuardrailRejected(error: unknown): error is TroupeError {
  return TroupeError.is(error) && error.group === "relay" && error.code === "guardrail_rejected";
}
