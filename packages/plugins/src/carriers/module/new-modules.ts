/**
 * New modules: Node never forgets a module, a failed one neither. A tag in the addresses of a folder's modules makes them
 * others than those of any other tag: so a plugin that was rebuilt in place runs as what it is now.
 */
import { realpathSync } from "node:fs";
import { type ModuleHooks, registerHooks } from "node:module";
import { sep } from "node:path";
import { pathToFileURL } from "node:url";

/** Tags what modules of a folder import of it, its packages aside, until the hooks are deregistered. */
export function tagModules(folder: string, tag: string): ModuleHooks {
  const root = pathToFileURL(`${realpathSync(folder)}${sep}`).href;
  const isOwn = (url: string): boolean => url.startsWith(root) && !url.includes("/node_modules/");
  return registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const { parentURL = "", conditions } = context;
      const tagged = conditions?.includes("import") === true && isOwn(parentURL) && isOwn(found.url);
      return tagged ? { ...found, url: `${found.url}?troupe=${tag}` } : found;
    },
  });
}
