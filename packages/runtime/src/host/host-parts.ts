import type { Env } from "@troupe/base";
import type { Directory } from "../ports/directory.ts";
import type { InstanceFactory } from "../ports/instance.ts";
import type { ActorStorage } from "../ports/storage.ts";

/** What a host is made of. */
export interface HostParts {
  readonly env: Env;
  readonly directory: Directory;
  readonly storage: ActorStorage;
  /** By the name that an actor is registered under. */
  readonly factories: ReadonlyMap<string, InstanceFactory>;
  /** Awake actors at once; default `limits.awakeActors`. */
  readonly maxAwake?: number;
  /** True when memory is past its watermark; never by default. */
  readonly memoryShort?: () => boolean;
}
