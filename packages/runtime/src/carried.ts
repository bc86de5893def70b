/** What carries actors needs of the runtime, on every platform. */
export { OpenedCarrier } from "./actor/carried/carrier-source.ts";
export { carriedActorFrom } from "./actor/carried/definition.ts";
export { startBytes } from "./actor/carried/start-words.ts";
