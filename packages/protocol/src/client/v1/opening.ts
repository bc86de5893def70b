/**
 * The first message each way. Always JSON text, in every version: it is what settles the version and the encoding.
 */
import { protocolErrors } from "../../errors.ts";
import { encodeJsonWithin } from "../../values/json-write.ts";
import { pickError } from "./codec.ts";
import {
  ENCODINGS,
  type Encoding,
  type Hello,
  PROTOCOL_VERSIONS,
  type Refusal,
  type Welcome,
} from "./frames.ts";
import {
  compact,
  decodeShape,
  FRAME_DEPTH,
  type Message,
  readCount,
  readError,
  readString,
  readVersions,
  type Shape,
} from "./shape.ts";

/** The newest version that both sides speak. Throws `protocol.version_unsupported`. */
export function negotiateVersion(offered: readonly number[]): number {
  const common = PROTOCOL_VERSIONS.filter((version) => offered.includes(version));
  if (common.length === 0) throw protocolErrors.versionUnsupported(PROTOCOL_VERSIONS);
  return Math.max(...common);
}

/** The first message of a client. Throws group `value` when `params` or `input` can't be sent. */
export function encodeHello(hello: Hello): string {
  const { kind, versions, encoding, params, input } = hello;
  return encodeJsonWithin(compact({ kind, versions, encoding, params, input }), "", FRAME_DEPTH);
}

/**
 * The hello of a client that speaks a version of ours. Throws `protocol.malformed_frame`,
 * `protocol.version_unsupported`, `protocol.encoding_unsupported` or group `value`.
 */
export function decodeHello(data: Message): Hello {
  const shape = decodeShape(data, "json");
  if (shape.kind !== "hello") throw protocolErrors.malformedFrame("the first message isn't a hello");
  const versions = readVersions(shape);
  // Before the rest: a later version may change what else a hello holds.
  negotiateVersion(versions);
  const encoding = readEncoding(shape);
  return compact({ kind: "hello", versions, encoding, params: shape.params, input: shape.input });
}

/** The first message of a gateway. */
export function encodeWelcome(answer: Welcome | Refusal): string {
  if (answer.kind === "welcome") {
    const { kind, version, actorId, connectionId, heartbeatMs, maxIncomingBytes } = answer;
    const welcome = { kind, version, actorId, connectionId, heartbeatMs, maxIncomingBytes };
    return encodeJsonWithin(compact(welcome), "", FRAME_DEPTH);
  }
  const { kind, error, versions } = answer;
  return encodeJsonWithin(compact({ kind, error: pickError(error), versions }), "", FRAME_DEPTH);
}

/** What a gateway answered to the hello. Throws `protocol.malformed_frame` or group `value`. */
export function decodeOpening(data: Message): Welcome | Refusal {
  const shape = decodeShape(data, "json");
  if (shape.kind === "welcome") return readWelcome(shape);
  if (shape.kind !== "refusal") throw protocolErrors.malformedFrame("the answer to the hello isn't one");
  const error = readError(shape);
  return shape.versions === undefined
    ? { kind: "refusal", error }
    : { kind: "refusal", error, versions: readVersions(shape) };
}

function readWelcome(shape: Shape): Welcome {
  const { version, heartbeatMs } = shape;
  if (typeof version !== "number" || !PROTOCOL_VERSIONS.includes(version)) {
    throw protocolErrors.versionUnsupported(PROTOCOL_VERSIONS);
  }
  if (typeof heartbeatMs !== "number" || !(heartbeatMs > 0) || heartbeatMs > LONGEST_HEARTBEAT_MS) {
    throw protocolErrors.malformedFrame("`heartbeatMs` isn't a time");
  }
  const ids = { actorId: readString(shape, "actorId"), connectionId: readString(shape, "connectionId") };
  const welcome = { kind: "welcome", version, ...ids, heartbeatMs } as const;
  if (shape.maxIncomingBytes === undefined) return welcome;
  return { ...welcome, maxIncomingBytes: readCount(shape, "maxIncomingBytes") };
}

/** What a timer can wait: 2^31-1 ms. */
const LONGEST_HEARTBEAT_MS = 2_147_483_647;

function readEncoding(shape: Shape): Encoding {
  const asked = readString(shape, "encoding");
  const encoding = ENCODINGS.find((known) => known === asked);
  if (encoding === undefined) throw protocolErrors.encodingUnsupported(ENCODINGS);
  return encoding;
}
