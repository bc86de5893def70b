/** A program whose embedded sandbox loops; it prints the number of the process that does. */

import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { EmbeddedDriver } from "@troupe/agent-os";

const workers: ChildProcess[] = [];
subscribe("child_process", (message) => void workers.push((message as { process: ChildProcess }).process));
const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal });
await sandbox.exec("true");
void sandbox.exec("while true; do :; done");
// The loop has begun when what it is asked for has been sent.
setImmediate(() => process.stdout.write(String(workers[0]?.pid)));
