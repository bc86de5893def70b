/** The program of a worker in JavaScript that has digests: holds Node to them, then runs the plugin as its main module. */
import { pathToFileURL } from "node:url";
import { checkModules } from "../carriers/module/checked-modules.ts";
import { type HandedModules, readHandedOver } from "./handed-over.ts";

const { manifest, folder, entry, digests } = await readHandedOver<HandedModules>();
process.argv[1] = entry;
checkModules({ manifest, folder, digests: new Map(digests) });
await import(pathToFileURL(entry).href);
