export type { RemoteHost, RemoteHostOptions } from "@troupe/runtime/edge";
export { actor, db, event, startHost } from "@troupe/runtime/edge";
