/** The kit's actor that calls tools and models, in TypeScript as a program of its own. */
import { serveWorker } from "../../../packages/plugins/src/worker.ts";
import caller from "./caller.ts";

await serveWorker({ name: "caller", actors: { caller } });
