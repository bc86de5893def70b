/** The gateway with a guardrail from a shared library and one from a worker process, side by side. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { cGuardrail } from "./support/c-guardrail.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const noCurl = `{
  kind: "tool_conditional_execution_guardrail",
  name: "no-curl",
  handle: ({ toolName }) => (toolName === "curl" ? "nothing is fetched here" : null),
}`;

test("S5.9 (in part) a tool is refused by C, another by a worker, a third is allowed, and the trace has all that was asked", async (context) => {
  using folder = new PluginFolder();
  const native = await cGuardrail(context, folder);
  const worker = folder.worker("curfew", noCurl);
  const atof = join(folder.path, "events.jsonl");
  const gateway = await GatewayProcess.start(["--plugin", native, "--plugin", worker, "--atof", atof]);
  expect(await gateway.ask("rm")).toEqual({
    decision: "deny",
    by: "c-guardrail/no-rm",
    reason: "rm isn't allowed here",
  });
  expect(await gateway.ask("curl")).toEqual({
    decision: "deny",
    by: "curfew/no-curl",
    reason: "nothing is fetched here",
  });
  expect(await gateway.ask("ls")).toEqual({ decision: "allow", by: null, reason: null });
  expect(await gateway.stop()).toMatchObject({ code: 0, signal: null, err: "" });

  const lines: { name: string; uuid: string; parent_uuid: string | null }[] = readFileSync(atof, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const scopes = new Map(lines.filter(({ name }) => name === "hooks.tool").map(({ uuid }) => [uuid, ""]));
  expect(scopes.size).toBe(3);
  for (const { name, parent_uuid } of lines)
    expect(name === "hooks.tool" ? parent_uuid === null : scopes.has(parent_uuid ?? "")).toBe(true);
  const names = new Set(lines.map(({ name }) => name));
  for (const name of ["c-guardrail/no-rm", "curfew/no-curl", "rm", "curl", "tool.decision"])
    expect(names).toContain(name);
  // It runs in the agent, which tells of it, not here.
  expect(names).not.toContain("ls");
});

test("S5.4 (in part) a library that is missing at one start and there at the next; and one that was changed", async (context) => {
  using folder = new PluginFolder();
  const native = await cGuardrail(context, folder);
  const options = readOptions(
    { bind: "127.0.0.1:0", plugin: [folder.worker("curfew", noCurl), native] },
    { cwd: "/" },
  );
  const library = join(folder.path, "c-guardrail/lib/guardrail.so");
  const bytes = readFileSync(library);
  rmSync(library);
  await expect(Gateway.start(options)).rejects.toMatchObject({
    code: "required_failed",
    cause: { code: "file_missing" },
  });
  folder.write("c-guardrail/lib/guardrail.so", Buffer.concat([bytes, Buffer.from("more")]));
  await expect(Gateway.start(options)).rejects.toMatchObject({ cause: { code: "integrity_mismatch" } });
  folder.write("c-guardrail/lib/guardrail.so", bytes);
  for (const _round of ["first", "second"]) {
    await using gateway = await Gateway.start(options);
    expect(gateway.plugins.status.map(({ registrations }) => registrations)).toEqual([
      ["curfew/no-curl"],
      ["c-guardrail/no-rm"],
    ]);
  }
});
