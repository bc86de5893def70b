/** Codecs of models' requests and responses, for plugins: by name, or by what the payload looks like. */
import {
  type AnnotatedLlmRequest,
  builtinCodecs,
  codecNamed,
  detectCodec,
  detectResponseCodec,
  type LlmRequest,
} from "@troupe/relay";
import { hostErrors } from "../session/host-errors.ts";
import { AskedFields } from "./asked-fields.ts";

/** What a request or a response says. Throws `relay.payload_unreadable`, `relay.codec_unknown`, `plugin.ask_invalid`. */
export function decodePayloadOf(fields: AskedFields): unknown {
  const response = fields.any("response") ?? undefined;
  const named = fields.optionalText("codec");
  if (response !== undefined) return codec(named, detectResponseCodec(response)).decodeResponse(response);
  const request = requestOf(fields, "request");
  return codec(named, detectCodec(request.content)).decode(request);
}

/** The original with what `annotated` says otherwise. Throws as `decodePayloadOf`. */
export function encodePayloadOf(fields: AskedFields): LlmRequest {
  const original = requestOf(fields, "original");
  const annotated: unknown = fields.record("annotated");
  if (!isAnnotated(annotated)) throw hostErrors.askInvalid("annotated", "what a request was decoded to");
  return codec(fields.optionalText("codec"), detectCodec(original.content)).encode(annotated, original);
}

/** By what it can't do without: the codec reads of the rest what it knows. */
function isAnnotated(value: unknown): value is AnnotatedLlmRequest {
  return typeof value === "object" && value !== null && "messages" in value && Array.isArray(value.messages);
}

function codec(named: string | undefined, detected: (typeof builtinCodecs)[number] | undefined) {
  if (named !== undefined) return codecNamed(named);
  if (detected === undefined)
    throw hostErrors.askInvalid("codec", `one of ${builtinCodecs.map(({ name }) => name).join(", ")}`);
  return detected;
}

function requestOf(fields: AskedFields, name: string): LlmRequest {
  const request = new AskedFields(fields.record(name));
  const headers: Record<string, string> = {};
  for (const [header, value] of Object.entries(request.optionalRecord("headers") ?? {})) {
    if (typeof value !== "string") throw hostErrors.askInvalid(`${name}.headers.${header}`, "a text");
    headers[header] = value;
  }
  return { headers, content: request.any("content") };
}
