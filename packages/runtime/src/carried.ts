/** What carries actors needs of the runtime, on every platform. */
export { carriedActor } from "./actor/carried/definition.ts";
export { startBytes } from "./actor/carried/start-words.ts";
