import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { HostClient } from "./host-client.ts";

const BEAT_MS = 10_000;

/**
 * An answer that lasts as long as a host: server-sent events, `ready` or `refused` first, then a `.` every ten seconds. When
 * nobody takes it any more the host drains: the platform may stop it at any time from then on.
 */
export function lasting(client: HostClient, env: Pick<Env, "timers">): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const text = new TextEncoder();
  const leave = (): void => void client.drain(limits.hostDrainMs);
  const say = (word: string): void => void writer.write(text.encode(`data: ${word}\n\n`)).catch(() => {});
  writer.closed.catch(leave);
  client.ready.then(
    () => say("ready"),
    (error: unknown) => say(`refused: ${String(error)}`),
  );
  let beat = env.timers.set(next, BEAT_MS);
  function next(): void {
    say(".");
    beat = env.timers.set(next, BEAT_MS);
  }
  void client.over.then(() => {
    env.timers.clear(beat);
    return writer.close().catch(() => {});
  });
  // Compressed on the way, the first lines would wait for the last ones.
  const headers = {
    "content-type": "text/event-stream",
    "content-encoding": "identity",
    "cache-control": "no-transform",
  };
  return new Response(readable, { headers });
}
