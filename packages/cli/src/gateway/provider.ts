/**
 * Providers: what the gateway knows of each model API. A row is a route, and how that API tells of an error, so that the
 * agent's own client reads a refusal like any other.
 */
import { TroupeError } from "@troupe/base";

/** An API that the gateway stands in front of. */
export interface Provider {
  /** The name of its calls in traces. */
  readonly name: string;
  readonly path: string;
  /** The body of an error. */
  readonly errorBody: (error: TroupeError) => unknown;
}

/** The providers by path. */
export const providers: readonly Provider[] = [
  {
    name: "openai.chat_completions",
    path: "/v1/chat/completions",
    errorBody: ({ group, code, message, statusCode }) => ({
      error: {
        message,
        type: statusCode === 403 ? "permission_error" : "api_error",
        param: null,
        code: `${group}.${code}`,
      },
    }),
  },
  {
    name: "anthropic.messages",
    path: "/v1/messages",
    errorBody: ({ group, code, message, statusCode }) => ({
      type: "error",
      error: {
        type: statusCode === 403 ? "permission_error" : "api_error",
        message,
        code: `${group}.${code}`,
      },
    }),
  },
];

/** Any error as one that a client may read. */
export function readable(error: unknown): TroupeError {
  if (TroupeError.is(error) && error.public) return error;
  return new TroupeError("internal", "error", "Internal error", { statusCode: 500, cause: error });
}
