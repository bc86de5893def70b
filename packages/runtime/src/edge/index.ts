export { db } from "../actor/database.ts";
export { actor } from "../actor/definition.ts";
export { event } from "../actor/types/event.ts";
export { queue } from "../actor/types/queue.ts";
export { edgeEnv } from "./env.ts";
export type { RemoteHost, RemoteHostOptions } from "./host.ts";
export { startHost } from "./host.ts";
export { serveHost } from "./serve-host.ts";
