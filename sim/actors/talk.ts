/**
 * What the actors of a world do with raw sockets: each message leaves its mark once, and is answered by it. A message may
 * come again, under its index: its mark is there then.
 */
import type { UniversalWebSocket } from "@troupe/runtime";
import { markOf } from "../checkers/tokens.ts";
import { type Marked, write } from "./ledger-state.ts";
import type { Stage } from "./stage.ts";

/** The state of each connection. */
export interface Visit {
  /** Activations that it has been in. */
  lives: number;
}

type Talk = Marked & { readonly conn: { readonly state: Visit } };

/** Listens to a socket. */
export function talk(stage: Stage, c: Talk, websocket: UniversalWebSocket): void {
  c.conn.state.lives += 1;
  if (c.conn.state.lives > 1) stage.outlived("a raw socket outlived a sleep");
  websocket.addEventListener("message", (event) => {
    const token = String(event.data);
    const mark = markOf(token, "said");
    stage.heard(token);
    if (c.state.log.includes(mark)) stage.world.counters.add("a message came again");
    else write(c, mark);
    // Some are at work for a while, and may be left behind by a stop.
    if (!/[25]$/.test(token)) return websocket.send(mark);
    return stage.sleep(20).then(() => websocket.send(mark));
  });
}
