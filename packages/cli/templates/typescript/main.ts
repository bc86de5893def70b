/** What the host starts. */
import { serveWorker } from "troupe/plugins/worker";
import plugin from "./plugin.ts";

await serveWorker(plugin);
