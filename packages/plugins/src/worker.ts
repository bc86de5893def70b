export type {
  HostDiagnostics,
  HostHandle,
  HostPopOptions,
  HostScope,
  HostScopeOptions,
  InScope,
} from "./worker/host-handle.ts";
export { serveWorker } from "./worker/serve-worker.ts";
export type {
  WorkerContext,
  WorkerContextOf,
  WorkerKind,
  WorkerMiddleware,
  WorkerMiddlewareOf,
  WorkerPlugin,
} from "./worker/worker-plugin.ts";
