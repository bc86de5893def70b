/** A worker whose code never gives its turn back: who calls it is told, the host goes on, and its end is its process's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kindRow } from "@troupe/relay";
import { expect, test } from "vitest";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { PluginFolder } from "../support/plugin-folder.ts";

const sdk = JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href);
const kind = "tool_conditional_execution_guardrail";

test("a loop without end: the call ends at its time, Goodbye is never heard, and the process is gone behind the close", {
  timeout: 60_000,
}, async () => {
  using folder = new PluginFolder();
  folder.write(
    "main.mjs",
    `import { writeFileSync } from "node:fs";
     import { serveWorker } from ${sdk};
     writeFileSync(new URL("pid", import.meta.url), String(process.pid));
     process.on("SIGTERM", () => {});
     const handle = () => { for (;;); };
     await serveWorker({ name: "loop", middleware: [{ kind: "${kind}", name: "loop", handle }] });`,
  );
  const rest = { args: [], env: [], sha256: undefined, files: new Map<string, string>() };
  const load = { kind: "worker", runtime: "node", entrypoint: "main.mjs", ...rest } as const;
  const open = workerCarrier({ plugin: "loop", env: nodeSessionEnv, origin: folder.origin, load });
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "0.0.0" });
  const call = { kind: kindRow(kind).wire, name: "loop", payload: {}, options: { timeoutMs: 200 } };
  await expect(session.invoke(call)).rejects.toMatchObject({ group: "plugin", code: "call_timed_out" });
  const pid = Number(readFileSync(join(folder.path, "pid"), "utf8"));
  expect(process.kill(pid, 0)).toBe(true);
  expect(await session.close(300)).toEqual({ clean: true });
  expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }));
});
