export {
  serveWorker,
  type WorkerContext,
  type WorkerKind,
  type WorkerMiddleware,
  type WorkerMiddlewareOf,
  type WorkerPlugin,
} from "@troupe/plugins/worker";
