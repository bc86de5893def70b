/**
 * What each tenant's database becomes, step by step. A tenant catches up when it wakes, whenever that is: one that slept
 * through three releases takes three steps, all of them or none. What was released is never edited; new steps go to the end.
 */
export const migrations = [
  {
    name: "customers and invoices",
    sql: `
      CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
      CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, paid INTEGER NOT NULL DEFAULT 0);
      CREATE TABLE lines (invoice_id INTEGER NOT NULL REFERENCES invoices, what TEXT NOT NULL, cents INTEGER NOT NULL);
    `,
  },
  { name: "emails are unique", sql: "CREATE UNIQUE INDEX customers_by_email ON customers (email)" },
  { name: "lines by invoice", sql: "CREATE INDEX lines_by_invoice ON lines (invoice_id)" },
];
