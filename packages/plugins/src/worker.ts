export { serveWorker } from "./worker/serve-worker.ts";
export type {
  WorkerContext,
  WorkerContextOf,
  WorkerKind,
  WorkerMiddleware,
  WorkerMiddlewareOf,
  WorkerPlugin,
} from "./worker/worker-plugin.ts";
