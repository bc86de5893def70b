/** One database for each tenant. A query that forgets a WHERE can't leak: nobody else's rows are there. */
import { actor, setup, UserError } from "troupe";
import { db } from "troupe/db";
import { migrations } from "./migrations.ts";

export interface Line {
  readonly what: string;
  readonly cents: number;
}

export interface Debt {
  readonly customer: string;
  readonly cents: number;
}

export const tenant = actor({
  db: db({ migrations }),
  actions: {
    addCustomer: async (c, name: string, email: string): Promise<number> => {
      const [known] = await c.db.execute("SELECT 1 FROM customers WHERE email = ?", email);
      if (known) throw new UserError(`${email} is a customer already`, { code: "known_customer" });
      const sql = "INSERT INTO customers (name, email) VALUES (?, ?) RETURNING id";
      const [customer] = await c.db.execute<{ id: number }>(sql, name, email);
      return customer?.id ?? 0;
    },

    /** An invoice with all its lines, or none. */
    invoice: (c, customerId: number, lines: readonly Line[]): Promise<number> =>
      c.db.transaction(async (tx) => {
        const sql = "INSERT INTO invoices (customer_id) SELECT id FROM customers WHERE id = ? RETURNING id";
        const [invoice] = await tx.execute<{ id: number }>(sql, customerId);
        if (!invoice) throw new UserError("There is no such customer", { code: "no_customer" });
        for (const { what, cents } of lines) {
          if (!(cents > 0)) throw new UserError(`${what} has no price`, { code: "no_price" });
          await tx.execute("INSERT INTO lines VALUES (?, ?, ?)", invoice.id, what, cents);
        }
        return invoice.id;
      }),

    pay: async (c, invoiceId: number): Promise<void> => {
      await c.db.execute("UPDATE invoices SET paid = 1 WHERE id = ?", invoiceId);
    },

    /** Who owes how much, the largest debts first. */
    debts: (c): Promise<Debt[]> =>
      c.db.execute<Debt>(`
        SELECT customers.name AS customer, sum(lines.cents) AS cents
        FROM customers
          JOIN invoices ON invoices.customer_id = customers.id AND NOT invoices.paid
          JOIN lines ON lines.invoice_id = invoices.id
        GROUP BY customers.id
        ORDER BY cents DESC
      `),
  },
});

export const registry = setup({ use: { tenant } });
