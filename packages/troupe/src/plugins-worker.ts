export {
  serveWorker,
  type WorkerContext,
  type WorkerContextOf,
  type WorkerKind,
  type WorkerMiddleware,
  type WorkerMiddlewareOf,
  type WorkerPlugin,
} from "@troupe/plugins/worker";
