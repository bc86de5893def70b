/** The catalogue as a file of the data directory. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CatalogueFile } from "../ports/catalogue-file.ts";
import { fileError, replaceFile } from "./sqlite/files.ts";

/** `catalogue.json`. */
export function catalogueFile(dataDir: string): CatalogueFile {
  const path = join(dataDir, "catalogue.json");
  return {
    path,
    read: () => {
      try {
        return readFileSync(path, "utf8");
      } catch (cause) {
        if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
        throw fileError(path, cause);
      }
    },
    write: (text) => {
      try {
        replaceFile(path, text);
      } catch (cause) {
        throw fileError(path, cause);
      }
    },
  };
}
