/** How a registry's door is closed. */
import type { Env } from "@troupe/base";
import type { Listening } from "./platform.ts";

/** What a client may take to read its last messages when a registry stops. */
const CLOSE_GRACE_MS = 1_000;

/** Lets answers and close frames get out; who doesn't take them in time is cut off. */
export async function closeDoor(listening: Pick<Listening, "close" | "end">, env: Env): Promise<void> {
  const timer = env.timers.set(() => listening.end(), CLOSE_GRACE_MS);
  await listening.close();
  env.timers.clear(timer);
}
