/**
 * Node loads its whole HTTP client when somebody first looks at the global `Headers`, which takes longer than loading all of just-bash;
 * and just-bash looks at it when it is loaded, for `curl` alone. In a worker the global is a proxy, which has the real one
 * loaded when there is a network: while a command runs it is too late, since just-bash then forbids what Node's own modules need to load.
 */

/** Puts it there. */
export function lateHeaders(): void {
  // Bound, since a proxy must say what its target has that can't be changed: of a class, its prototype.
  const late = new Proxy(Object.bind(undefined), {
    construct: (_, args) => Reflect.construct(loadHeaders(), args),
    get: (_, name) => Reflect.get(loadHeaders(), name),
  });
  // Set, not defined: the definition of a property looks at what there was.
  Reflect.set(globalThis, "Headers", late);
}

/** From now on headers can be made. */
export function loadHeaders(): typeof globalThis.Headers {
  // The class as Node has it, by an object that is made of it.
  headers ??= new Response().headers.constructor as typeof globalThis.Headers;
  return headers;
}

let headers: typeof globalThis.Headers | undefined;
