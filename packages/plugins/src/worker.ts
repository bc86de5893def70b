export { serveWorker } from "./worker/serve-worker.ts";
export type {
  WorkerContext,
  WorkerKind,
  WorkerMiddleware,
  WorkerMiddlewareOf,
  WorkerPlugin,
} from "./worker/worker-plugin.ts";
