export type { RemoteHost, RemoteHostOptions } from "@troupe/runtime/edge";
export { actor, db, event, queue, serveHost, startHost } from "@troupe/runtime/edge";
