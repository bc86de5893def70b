/** The client of an actor's runtime socket, for processes that an actor starts. */
export type {
  RuntimeSocketOptions,
  SocketParams,
  SocketSql,
} from "@troupe/runtime/runtime-socket";
export { connectRuntimeSocket, RuntimeSocketClient } from "@troupe/runtime/runtime-socket";
