import type { InstanceFactory } from "../ports/instance.ts";

/** Who makes instances: by the name that an actor is registered under, in the namespace with this id. */
export interface Factories {
  get(name: string, namespace: string): InstanceFactory | undefined;
}
