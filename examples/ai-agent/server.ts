import { registry } from "./actor.ts";
import { serveScriptedModel } from "./scripted-model.ts";

process.env["MODEL_URL"] ??= await serveScriptedModel();
await registry.start();
