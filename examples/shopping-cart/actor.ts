/**
 * A shopping cart that is its history. What happened is stored and never changed; what the cart is, is worked out from
 * it, so that every earlier cart can be shown as well.
 */
import { type ActorContextOf, actor, event, setup, UserError } from "troupe";
import { db } from "troupe/db";
import { after, type Cart, type CartEvent, emptyCart, totalCents } from "./cart.ts";

interface Row {
  readonly number: number;
  readonly event: string;
}

export const cart = actor({
  db: db({
    onMigrate: async (db) => {
      await db.execute("CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, event TEXT NOT NULL)");
    },
  }),
  events: { changed: event<Cart>() },

  // The present cart is in memory, and made anew at each start.
  createVars: async (c) => {
    const rows = await c.db.execute<Row>("SELECT * FROM events ORDER BY number");
    return { cart: rows.map(eventOf).reduce(after, emptyCart) };
  },

  actions: {
    add: (c, sku: string, count: number, cents: number): Promise<Cart> => {
      if (!(count > 0 && cents >= 0)) throw new UserError("That is nothing to buy", { code: "bad_item" });
      return happened(c, { kind: "added", sku, count, cents });
    },
    remove: (c, sku: string): Promise<Cart> => {
      if (!(sku in c.vars.cart.items)) throw new UserError(`There is no ${sku}`, { code: "not_there" });
      return happened(c, { kind: "removed", sku });
    },
    discount: (c, percent: number): Promise<Cart> => {
      if (!(percent >= 0 && percent <= 100)) throw new UserError("0 to 100 percent", { code: "bad_percent" });
      return happened(c, { kind: "discounted", percent });
    },
    /** Answers with what is to be paid. */
    checkOut: async (c): Promise<number> => totalCents(await happened(c, { kind: "checked out" })),

    show: (c): Cart => c.vars.cart,
    history: async (c): Promise<CartEvent[]> => {
      const rows = await c.db.execute<Row>("SELECT * FROM events ORDER BY number");
      return rows.map(eventOf);
    },
    /** The cart as it was after its first `number` events. */
    asOf: async (c, number: number): Promise<Cart> => {
      const rows = await c.db.execute<Row>("SELECT * FROM events WHERE number <= ? ORDER BY number", number);
      return rows.map(eventOf).reduce(after, emptyCart);
    },
  },
});

/** The decision was made before; this is the fact. All of it is one turn, so that nobody decides on an older cart. */
async function happened(c: ActorContextOf<typeof cart>, event: CartEvent): Promise<Cart> {
  if (c.vars.cart.closed) throw new UserError("It has been checked out", { code: "closed" });
  const stored = c.db.execute("INSERT INTO events (event) VALUES (?)", JSON.stringify(event));
  c.vars.cart = after(c.vars.cart, event);
  c.broadcast("changed", c.vars.cart);
  const now = c.vars.cart;
  await stored;
  return now;
}

function eventOf({ event }: Row): CartEvent {
  return JSON.parse(event);
}

export const registry = setup({ use: { cart } });
