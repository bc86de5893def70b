import { setup } from "troupe";
import { pageServer } from "../chat-room/serve-page.ts";
import { serveScriptedModel } from "./scripted-model.ts";

// With a key a real provider answers, otherwise a model of this machine that always does the same.
if (process.env["MODEL_KEY"]) process.env["MODEL_URL"] ??= "https://api.openai.com/v1";
else process.env["MODEL_URL"] ??= await serveScriptedModel();
const { workspace } = await import("./actor.ts");

const library = (path: string): URL => new URL(import.meta.resolve(path));
const page = pageServer(new URL("page/", import.meta.url), {
  libraries: {
    "xterm.css": library("@xterm/xterm/css/xterm.css"),
    "xterm.mjs": library("@xterm/xterm/lib/xterm.mjs"),
    "addon-fit.mjs": library("@xterm/addon-fit/lib/addon-fit.mjs"),
  },
  imports: { "@xterm/xterm": "/lib/xterm.mjs", "@xterm/addon-fit": "/lib/addon-fit.mjs" },
  // xterm.js writes the sizes of its rows into style sheets of its own.
  inlineStyles: true,
});

export const registry = setup({ use: { workspace }, fetch: page });

await registry.start();
