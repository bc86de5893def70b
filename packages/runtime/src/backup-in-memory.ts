/** The one error of backups that a registry has by itself, wherever it runs. */
import type { TroupeError } from "@troupe/base";
import { error } from "./new-error.ts";

/** `backup.in_memory`. */
export function inMemory(): TroupeError {
  return error(
    400,
    "backup",
    "in_memory",
    "What is kept in memory has no backup: durability is commit or interval",
  );
}
