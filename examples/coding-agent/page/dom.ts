/** The few things that the views need of the DOM. */

/** An element of the page by its id. */
export function byId<E extends Element>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

interface Attributes {
  readonly [name: string]: string | undefined;
}

/** Makes an element. Children that are text stay text, whatever is in them. */
export function make<N extends keyof HTMLElementTagNameMap>(
  name: N,
  attributes: Attributes,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[N] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** What one child of a list shows. A child is made again only when its `look` has changed. */
export interface Item {
  readonly key: string;
  readonly look: string;
  readonly make: () => HTMLElement;
}

/** Keeps an element's children in step with a list, touching only what differs: focus and readers stay undisturbed. */
export class ChildList {
  readonly #parent: HTMLElement;
  #shown = new Map<string, { readonly look: string; readonly element: HTMLElement }>();

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  show(items: readonly Item[]): void {
    const before = this.#shown;
    this.#shown = new Map();
    for (const { key, look, make } of items) {
      const known = before.get(key);
      this.#shown.set(key, known?.look === look ? known : { look, element: make() });
    }
    for (const [key, old] of before) if (this.#shown.get(key) !== old) old.element.remove();
    let next = this.#parent.firstElementChild;
    for (const { element } of this.#shown.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(element, next);
    }
  }
}
