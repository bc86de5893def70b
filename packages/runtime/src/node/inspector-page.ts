import { readFileSync } from "node:fs";

/** The inspector's page, one file that the build makes; nothing where it wasn't built. */
export function inspectorPage(): string | undefined {
  try {
    return readFileSync(new URL("../../dist/inspector.html", import.meta.url), "utf8");
  } catch {
    return undefined;
  }
}
