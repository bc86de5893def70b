export type { RemoteHost, RemoteHostOptions } from "@troupe/runtime/edge";
export { actor, event, startHost } from "@troupe/runtime/edge";
