export type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "./carrier.ts";
export type { PluginDeclarations } from "./session/declarations.ts";
export type { InvokeOptions } from "./session/invocations.ts";
export type { OpenSessionOptions } from "./session/open-session.ts";
export { openSession } from "./session/open-session.ts";
export type { SessionEnv } from "./session/session.ts";
export { PluginSession } from "./session/session.ts";
