import { encodeJson, limits } from "@troupe/protocol";
import { connectionErrors } from "../errors.ts";

/** Connection parameters, when they are short enough. Throws `connection.params_too_long`. */
export function paramsOf(params: unknown): unknown {
  if (params === undefined) return undefined;
  const bytes = encodeJson(params, "params").length;
  if (bytes > limits.connectionParamsBytes)
    throw connectionErrors.paramsTooLong(bytes, limits.connectionParamsBytes);
  return params;
}
