import type { Env } from "@troupe/base";
import type { Directory } from "../ports/directory.ts";
import type { ActorStorage } from "../ports/storage.ts";
import type { Factories } from "./factories.ts";

/** What a host is made of. */
export interface HostParts {
  readonly env: Env;
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly factories: Factories;
  /** Awake actors at once; default `limits.awakeActors`. */
  readonly maxAwake?: number;
  /** Of those, with a database; no limit by default. */
  readonly maxDatabases?: number | undefined;
  /** True when memory is past its watermark; never by default. */
  readonly memoryShort?: () => boolean;
}
