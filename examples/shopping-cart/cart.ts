/** What happens to a cart, and what it is by then: a fold over all that happened. */

export type CartEvent =
  | { readonly kind: "added"; readonly sku: string; readonly count: number; readonly cents: number }
  | { readonly kind: "removed"; readonly sku: string }
  | { readonly kind: "discounted"; readonly percent: number }
  | { readonly kind: "checked out" };

export interface Cart {
  readonly items: Readonly<Record<string, { readonly count: number; readonly cents: number }>>;
  readonly percent: number;
  readonly closed: boolean;
}

export const emptyCart: Cart = { items: {}, percent: 0, closed: false };

/** A cart after one more event. */
export function after(cart: Cart, event: CartEvent): Cart {
  switch (event.kind) {
    case "added": {
      const count = event.count + (cart.items[event.sku]?.count ?? 0);
      return { ...cart, items: { ...cart.items, [event.sku]: { count, cents: event.cents } } };
    }
    case "removed": {
      const { [event.sku]: _removed, ...items } = cart.items;
      return { ...cart, items };
    }
    case "discounted":
      return { ...cart, percent: event.percent };
    case "checked out":
      return { ...cart, closed: true };
  }
}

export function totalCents({ items, percent }: Cart): number {
  const full = Object.values(items).reduce((sum, { count, cents }) => sum + count * cents, 0);
  return Math.round((full * (100 - percent)) / 100);
}
