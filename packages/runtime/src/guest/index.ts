export { db } from "../actor/database.ts";
export { actor } from "../actor/definition.ts";
export { event } from "../actor/types/event.ts";
export { queue } from "../actor/types/queue.ts";
export { Loop, workflow } from "../actor/workflow.ts";
export { actorErrors } from "../errors.ts";
export { CriticalError, RollbackError } from "../workflow/failure.ts";
export type { GuestParts } from "./guest.ts";
export { Guest } from "./guest.ts";
