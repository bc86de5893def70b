/** actor/v1: `schemas/actor/v1/actor.proto`, and payloads and errors on it. */

export type {
  ActorCall,
  ActorDeclaration,
  Answer as CarriedAnswer,
  Ask as CarriedAsk,
  BodyChunk,
  BodyCredit,
  BodyEnd,
  Call as CarriedCall,
  ChainLink,
  Connect as CarriedConnect,
  Error as CarriedError,
  Event as CarriedEvent,
  FromActor,
  Kept,
  KvGet,
  KvList,
  OwnGet,
  OwnList,
  QueueDelivery,
  Reply as CarriedReply,
  RequestAnswer,
  RequestOpen,
  Restored,
  Row as CarriedRow,
  Send as CarriedSend,
  Sleeper,
  SocketAccept,
  SocketAcknowledge,
  SocketClose,
  SocketMessage,
  SocketOpen,
  SqlBatch,
  SqlBegin,
  SqlEnd,
  SqlExecute,
  Start,
  StartRows,
  Stop,
  Stopped,
  StreamItem,
  Subscribe as CarriedSubscribe,
  Subscribed as CarriedSubscribed,
  ToActor,
  Withdraw,
  Write,
} from "../generated/actor/v1/actor.ts";
export {
  ActorCall_Method as CallMethod,
  Error as CarriedErrorCodec,
  FromActor as FromActorCodec,
  KeptAsk,
  Log_Level as LogLevel,
  Space,
  SqlTurn,
  StopReason as CarriedStopReason,
  ToActor as ToActorCodec,
} from "../generated/actor/v1/actor.ts";
export type { DeclaredActor, Refuse } from "./declarations.ts";
export { checkDeclaredName, decodeDeclarations, encodeDeclaration } from "./declarations.ts";
export { fromCarriedError, toCarriedError } from "./error.ts";
export type { PayloadEncoding } from "./payload.ts";
export { decodeArgs, decodePayload, encodeArgs, encodePayload, NO_PAYLOAD } from "./payload.ts";
export {
  decodeBindParams,
  decodeExecuteResult,
  encodeBindParams,
  encodeExecuteResult,
  isBindParam,
} from "./sql.ts";
export { decodeSqlOutcomes, encodeSqlOutcomes } from "./sql-outcomes.ts";
