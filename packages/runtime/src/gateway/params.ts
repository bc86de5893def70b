import { bytesPast, decodeJson, encodeJson, limits } from "@troupe/protocol";
import { connectionErrors, hostingErrors, serverErrors } from "../errors.ts";

/** Connection parameters, when they are short enough. Throws `connection.params_too_long`. */
export function paramsOf(params: unknown): unknown {
  if (params === undefined) return undefined;
  const bytes = bytesPast(limits.connectionParamsBytes, encodeJson(params, "params"));
  if (bytes !== undefined) throw connectionErrors.paramsTooLong(bytes, limits.connectionParamsBytes);
  return params;
}

/** Connection parameters in a header. Throws `gateway.bad_request`, `connection.params_too_long`. */
export function headerParams(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  let params: unknown;
  try {
    params = decodeJson(text);
  } catch {
    throw serverErrors.badRequest("the connection parameters can't be read");
  }
  return paramsOf(params);
}

/** The input of a new actor, when it is short enough. Throws `actor.input_too_large`. */
export function inputOf(input: unknown): unknown {
  if (input === undefined) return undefined;
  const bytes = bytesPast(limits.inputBytes, encodeJson(input, "input"));
  if (bytes !== undefined) throw hostingErrors.inputTooLarge(bytes, limits.inputBytes);
  return input;
}
