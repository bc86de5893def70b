/** The version of this program: that of the package. */
import { readFileSync } from "node:fs";

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

/** As in package.json, `1.2.3`. */
export const TROUPE_VERSION: string = manifest.version;
