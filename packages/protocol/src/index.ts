export { checkKey, checkName, decodeKey, encodeKey, normalizeKey } from "./client/v1/address.ts";
export type { Bodies, BodyKind, ErrorBody } from "./client/v1/bodies.ts";
export { decodeBody, encodeActionAnswer, encodeBody } from "./client/v1/bodies.ts";
export { callIdIn } from "./client/v1/call-id.ts";
export type { CallTerms } from "./client/v1/call-terms.ts";
export {
  checkIdempotencyKey,
  checkTimeout,
  IDEMPOTENCY_HEADER,
  readCallHeaders,
  TIMEOUT_HEADER,
  wireTimeoutMs,
} from "./client/v1/call-terms.ts";
export {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeEvent,
  encodeEventUpTo,
  encodeItem,
  encodeReply,
  encodeServerFrame,
} from "./client/v1/codec.ts";
export type {
  ActionFrame,
  CancelFrame,
  ClientFrame,
  CreditFrame,
  Encoding,
  EndFrame,
  ErrorFrame,
  EventFrame,
  Hello,
  ItemFrame,
  PingFrame,
  PongFrame,
  Refusal,
  ReplyFrame,
  SendFrame,
  SendOptions,
  SendOutcome,
  ServerFrame,
  SubscribedFrame,
  SubscribeFrame,
  UnsubscribeFrame,
  Welcome,
  WireError,
} from "./client/v1/frames.ts";
export {
  closeCodes,
  closeReasons,
  ENCODINGS,
  PARAMS_SUBPROTOCOL_PREFIX,
  PROTOCOL_VERSION,
  PROTOCOL_VERSIONS,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "./client/v1/frames.ts";
export type {
  ActionAnswer,
  ActionBody,
  ResolveAnswer,
  ResolveBody,
  ResolveMethod,
  SendBody,
} from "./client/v1/http.ts";
export { ERROR_HEADER, PARAMS_HEADER, PROTOCOL_HEADER } from "./client/v1/http.ts";
export {
  decodeHello,
  decodeOpening,
  encodeHello,
  encodeWelcome,
  negotiateVersion,
} from "./client/v1/opening.ts";
export type { Message } from "./client/v1/shape.ts";
export { bytesPast } from "./client/v1/size.ts";
export type { StreamPart } from "./client/v1/stream.ts";
export { encodeStreamPart, STREAM_TYPES, StreamPartReader } from "./client/v1/stream.ts";
export type { Traceparent } from "./client/v1/traceparent.ts";
export { parseTraceparent, TRACEPARENT_HEADER } from "./client/v1/traceparent.ts";
export { engineLimits } from "./engine-limits.ts";
export { keyErrors, protocolErrors, valueErrors } from "./errors.ts";
export type { LimitName } from "./limits.ts";
export { limits } from "./limits.ts";
export type { BindParam, BindParams, ColumnValue, ExecuteResult, SqlOutcome, SqlStatement } from "./sql.ts";
export { bytesToHex } from "./values/bigint.ts";
export { decodeCbor, encodeCbor, encodeCborToPass, encodeCborUpTo } from "./values/cbor.ts";
export { cloneValue } from "./values/clone.ts";
export { decodeJson } from "./values/json-read.ts";
export { encodeJson } from "./values/json-write.ts";
export { RAW } from "./values/raw.ts";
export { readUtf8, utf8Bytes } from "./values/text.ts";
export { fromWireError, losesMetadata, toWireError } from "./wire-error.ts";
