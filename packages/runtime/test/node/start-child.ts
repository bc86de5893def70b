/** A program that starts a server as a README does, and catches nothing. `node … start-child.ts <port> <dir>`. */
import { actor, setup } from "@troupe/runtime";

const registry = setup({ use: { counter: actor({ state: { count: 0 }, actions: {} }) } });
await registry.start({ port: Number(process.argv[2]), dataDir: String(process.argv[3]) });
