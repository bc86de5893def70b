export type { Codec, StreamCodecs, ToolCodecs, TypedStreamOptions } from "@troupe/relay/typed";
export {
  JsonPassthrough,
  typedLlmExecute,
  typedLlmStreamExecute,
  typedToolExecute,
} from "@troupe/relay/typed";
