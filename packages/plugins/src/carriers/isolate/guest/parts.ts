/**
 * Parts of the guest's program that an isolate hasn't before they are used: workflows, queues, SQL and the like. Most
 * actors use few of them, and with the code of all of them an isolate had a third more memory.
 *
 * The program is bundled as one script for its core and one for each part (`tools/guest-bundle.ts`). A part's text is memory
 * that all isolates of the process share. Whoever imports a module of another script has an object that stands for it and
 * is empty: what isn't there yet is asked of its prototype, which runs the part and puts the export there. So a module of a
 * part is written as any other, and so is who imports it; only nothing may use one while the core itself is run, for
 * the parts come behind it.
 *
 * A part is run by the language's `eval`, taken before any code of the actor runs. One that fails, for want of stack or memory,
 * is run anew when it is used next.
 */

/** A module's exports, once it has run. */
type Exports = Readonly<Record<string, unknown>>;

/** The exports of a module, by its id. */
type Provider = (id: string) => Exports | undefined;

// biome-ignore lint/security/noGlobalEval: there is no other way to run a script in an isolate from within; the texts are ours.
const evaluate = globalThis.eval;
const { create, defineProperty } = Object;

/** Who has the exports of a script's modules, by its name. */
const provided = new Map<string, Provider>();
/** What stands for a module of another script. */
const stands = new Map<object, { readonly id: string; exports: Exports | undefined }>();
const modules = new Map<string, object>();
const texts = new Map<string, string>();

/** The parts' scripts: a name, its text, the next name. */
export function attachParts(scripts: readonly string[]): void {
  for (let at = 0; at + 1 < scripts.length; at += 2) texts.set(scripts[at] ?? "", scripts[at + 1] ?? "");
}

/** A script has run, and has these exports. */
export function provide(script: string, exports: Provider): void {
  provided.set(script, exports);
}

/** What a script calls for what it imports of others: this module itself, or the stand-in of `part:module`. */
export function required(id: string): object {
  if (id === "guest:parts") return linker;
  const known = modules.get(id);
  if (known !== undefined) return known;
  const module: object = create(firstUse);
  stands.set(module, { id, exports: undefined });
  modules.set(id, module);
  return module;
}

const linker = { attachParts, provide };

/** Every stand-in's prototype: it is asked for what isn't there yet, and puts it there. */
const firstUse: object = new Proxy(create(null), {
  get: (_target, name, module: object) => {
    const stand = stands.get(module);
    if (stand === undefined || typeof name !== "string") return undefined;
    stand.exports ??= exportsOf(stand.id);
    const value = stand.exports[name];
    defineProperty(module, name, { value });
    return value;
  },
});

/** Its part has run then; the core ran before any. */
function exportsOf(id: string): Exports {
  const script = id.slice(0, id.indexOf(":"));
  if (!provided.has(script)) run(script, id);
  const exports = provided.get(script)?.(id);
  if (exports === undefined) throw new RangeError(`The guest's program has no module ${id}`);
  return exports;
}

function run(part: string, id: string): void {
  const text = texts.get(part);
  if (text === undefined) throw new RangeError(`The guest's core uses ${id} while it is run`);
  const script: (require: typeof required) => void = evaluate(text);
  script(required);
}
