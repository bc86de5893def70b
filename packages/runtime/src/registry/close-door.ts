/** How a registry's door is closed. */
import type { Env } from "@troupe/base";
import type { Door } from "./platform.ts";

/** What a client may take to read its last messages when a registry stops. */
const CLOSE_GRACE_MS = 1_000;

/** Lets answers and close frames get out; who doesn't take them in time is cut off. */
export async function closeDoor(door: Door, env: Env): Promise<void> {
  const timer = env.timers.set(() => door.end(), CLOSE_GRACE_MS);
  await door.close();
  env.timers.clear(timer);
}
