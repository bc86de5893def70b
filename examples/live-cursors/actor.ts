/** Who points where on a shared canvas. Nothing of it is stored: a cursor lives as long as its connection. */
import { actor, event, setup, UserError } from "troupe";

export interface Cursor {
  readonly id: string;
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

interface Place {
  readonly name: string;
  x: number;
  y: number;
}

export const canvas = actor({
  events: { moved: event<Cursor>(), left: event<string>() },

  onBeforeConnect: (_c, visitor: { name: string }) => {
    if (!visitor?.name) throw new UserError("Everybody has a name here", { code: "no_name" });
  },
  createConnState: (_c, visitor: { name: string }): Place => ({ name: visitor.name, x: 0, y: 0 }),
  onDisconnect: (c, conn) => c.broadcast("left", conn.id),

  actions: {
    /** Nothing was written, so the event waits for no disk. */
    move: (c, x: number, y: number): void => {
      c.conn.state.x = x;
      c.conn.state.y = y;
      c.broadcast("moved", cursorOf(c.conn));
    },
    /** For who comes in: where everybody is. */
    cursors: (c): Cursor[] => [...c.conns.values()].map(cursorOf),
  },
});

function cursorOf({ id, state: { name, x, y } }: { readonly id: string; readonly state: Place }): Cursor {
  return { id, name, x, y };
}

export const registry = setup({ use: { canvas } });
