import { setup } from "troupe";
import { pageServer } from "../chat-room/serve-page.ts";
import { serveScriptedModel } from "./scripted-model.ts";

// With a key a real provider answers, otherwise a model of this machine that always does the same.
if (process.env["MODEL_KEY"]) process.env["MODEL_URL"] ??= "https://api.openai.com/v1";
else process.env["MODEL_URL"] ??= await serveScriptedModel();
const { workspace } = await import("./actor.ts");

export const registry = setup({ use: { workspace }, fetch: pageServer(new URL("page/", import.meta.url)) });

await registry.start();
