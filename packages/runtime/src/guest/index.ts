export { db } from "../actor/database.ts";
export { actor } from "../actor/definition.ts";
export { event } from "../actor/types/event.ts";
export { queue } from "../actor/types/queue.ts";
export type { GuestParts } from "./guest.ts";
export { Guest } from "./guest.ts";
