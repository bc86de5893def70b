/**
 * What `send` and `close` of a raw WebSocket throw, by `group.code`.
 */
import { TroupeError } from "@troupe/base";

function error(code: string, message: string, metadata?: Readonly<Record<string, unknown>>): TroupeError {
  return new TroupeError("websocket", code, message, {
    statusCode: 400,
    ...(metadata === undefined ? {} : { metadata }),
  });
}

/** Group `websocket`. */
export const socketErrors = {
  unsupportedData: () => error("unsupported_data", "Send a string, an ArrayBuffer or a view of one"),
  unsupportedBinaryType: (type: string) =>
    error("unsupported_binary_type", `binaryType can't be "${type}": it is "arraybuffer"`),
  invalidCloseCode: (code: number) =>
    error("invalid_close_code", `A WebSocket can't be closed with ${code}`, { code }),
  reasonTooLong: (bytes: number, limit: number) =>
    error("reason_too_long", `The reason has ${bytes} bytes; the limit is ${limit}`, { bytes, limit }),
};
