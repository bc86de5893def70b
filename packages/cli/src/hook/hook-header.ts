/**
 * On each answer to a hook, and on no other: the gateway has heard the event. Whatever else is at an address may say 200 to anything, and an
 * agent would take that for a tool that may run.
 */
export const HOOK_HEADER = "x-troupe-hook";
