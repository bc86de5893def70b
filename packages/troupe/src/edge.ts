export type { DrainOptions, RemoteHost, RemoteHostOptions } from "@troupe/runtime/edge";
export {
  actor,
  CriticalError,
  db,
  event,
  Loop,
  queue,
  RollbackError,
  serveHost,
  startHost,
  workflow,
} from "@troupe/runtime/edge";
