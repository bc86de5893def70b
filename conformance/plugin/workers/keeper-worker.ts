/** The kit's actor in TypeScript as a program of its own. */
import { serveWorker } from "../../../packages/plugins/src/worker.ts";
import keeper from "./keeper.ts";

await serveWorker({ name: "keeper", actors: { keeper } });
