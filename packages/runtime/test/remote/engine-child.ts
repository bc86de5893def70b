/** An engine whose hosts are elsewhere, to be killed and started again at the same port. */
import { remoteActor, setup } from "@troupe/runtime";
import type { ledger } from "./killed-ledger.ts";

const [, , dataDir = "", port = "0"] = process.argv;

const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
const registry = setup({ use, hosts: { token: "secret" } });
export type Engine = typeof registry;

const server = await registry.start({ port: Number(port), dataDir, banner: false });
process.send?.({ kind: "port", port: server.port });
