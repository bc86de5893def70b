/**
 * The inspector's page (`apps/inspector/`), made one file that needs nothing else, and may load nothing else: its policy
 * allows its own script and style by their digests, and its own server.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const app = new URL("../apps/inspector/", import.meta.url);
const dist = new URL("../packages/runtime/dist/", import.meta.url);

const read = (name: string): string => readFileSync(new URL(name, app), "utf8");
const digest = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Writes `packages/runtime/dist/inspector.html`. */
export function buildInspectorPage(): void {
  const style = read("style.css");
  const script = read("page.js");
  const policy =
    `default-src 'none'; script-src ${digest(script)}; style-src ${digest(style)}; connect-src 'self'; ` +
    "img-src data:; base-uri 'none'; form-action 'none'";
  const head = `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<link rel="icon" href="data:,">\n<style>${style}</style>`;
  const page = read("index.html")
    .replace("<!-- style -->", () => head)
    .replace("<!-- script -->", () => `<script type="module">${script}</script>`);
  mkdirSync(dist, { recursive: true });
  writeFileSync(new URL("inspector.html", dist), page);
}

if (import.meta.main) buildInspectorPage();
