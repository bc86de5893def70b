import { TroupeError } from "@troupe/base";

type Metadata = Readonly<Record<string, unknown>>;

/** A TroupeError as the tables of `errors.ts` make them. */
export function error(
  statusCode: number,
  group: string,
  code: string,
  message: string,
  options: { metadata?: Metadata; retryable?: boolean; public?: boolean; cause?: unknown } = {},
): TroupeError {
  return new TroupeError(group, code, message, { statusCode, ...options });
}
