export type { RemoteHost, RemoteHostOptions } from "@troupe/runtime/edge";
export { actor, db, event, queue, startHost } from "@troupe/runtime/edge";
