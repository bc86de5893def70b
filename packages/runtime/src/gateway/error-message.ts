/** What a socket's client is told of an error. */
import {
  type Encoding,
  encodeServerFrame,
  encodeWelcome,
  type Message,
  PROTOCOL_VERSIONS,
  toWireError,
  type WireError,
} from "@troupe/protocol";

/** The frame of an error; without `id` it is about the connection. */
export function errorMessage(error: unknown, encoding: Encoding, id?: number): Message {
  const wire = toWireError(error, false);
  const frame =
    id === undefined
      ? ({ kind: "error", error: wire } as const)
      : ({ kind: "error", id, error: wire } as const);
  return encodeServerFrame(frame, encoding);
}

/** The answer to a hello that isn't accepted. */
export function refusalMessage(error: WireError): string {
  return encodeWelcome(
    error.code === "version_unsupported"
      ? { kind: "refusal", error, versions: PROTOCOL_VERSIONS }
      : { kind: "refusal", error },
  );
}
