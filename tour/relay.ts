/** The relay: scopes, guardrails and a trace around tool calls; and a gateway whose guardrails are plugins. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRelay, isGuardrailRejected } from "troupe/relay";
import { guardrailPlugin } from "../packages/cli/test/support/c-guardrail.ts";
import { GatewayProcess } from "../packages/cli/test/support/gateway-process.ts";
import { PluginFolder } from "../packages/cli/test/support/plugin-folder.ts";
import { median, type Part, type Report, same, shown } from "./part.ts";

const noCurl = `{
  kind: "tool_conditional_execution_guardrail",
  name: "no-curl",
  handle: ({ toolName }) => (toolName === "curl" ? "nothing is fetched here" : null),
}`;

export const relay: Part = {
  title: "Relay: policy and a trace around every call",
  async run(report) {
    await inProcess(report);
    await gateway(report);
  },
};

async function inProcess(report: Report): Promise<void> {
  const own = createRelay();
  const empty = await median(2_000, () => own.toolCallExecute("add", {}, () => ({ result: 3 })));
  report.saw("an empty tool call, nobody listens, p50", shown(empty));
  const events: string[] = [];
  own.registerSubscriber("tour", (event) => void events.push(event.name));
  own.registerToolConditionalExecutionGuardrail("no-deletes", ({ toolName }) =>
    toolName === "delete" ? "nothing is deleted here" : null,
  );
  await own.withScope("request", "agent", async () => {
    own.event("a mark");
    await own.toolCallExecute("add", { a: 1 }, () => ({ result: 3 }));
    const refusal: unknown = await own
      .toolCallExecute("delete", {}, () => ({ result: "gone" }))
      .catch((error: unknown) => error);
    if (!isGuardrailRejected(refusal)) throw new Error("the guardrail lets everything through");
    report.saw(`a guardrail refuses "delete": ${refusal.message}`);
  });
  await own.flushSubscribers();
  report.saw(`a subscriber heard of it: ${[...new Set(events)].join(", ")}`, `${events.length} events`);
}

async function gateway(report: Report): Promise<void> {
  using folder = new PluginFolder();
  const worker = folder.worker("curfew", noCurl);
  const native = await guardrailPlugin(folder);
  if ("missing" in native) report.missing("a guardrail in C", native.missing);
  const manifests = "missing" in native ? [worker] : [native.path, worker];
  const atof = join(folder.path, "events.jsonl");
  const args = [...manifests.flatMap((path) => ["--plugin", path]), "--atof", atof];
  const before = folder.digest();
  await GatewayProcess.run([...args, "--dry-run"]);
  same("the digest of all files", folder.digest(), before);
  report.saw("troupe gateway --dry-run leaves no trace");
  {
    await using running = await GatewayProcess.start(args);
    for (const tool of ["rm", "curl", "ls"])
      report.saw(`may an agent run ${tool}? ${JSON.stringify(await running.ask(tool))}`);
    report.saw(
      "one decision by both guardrails, over HTTP, p50",
      shown(await median(100, () => running.ask("ls"))),
    );
  }
  report.saw("the trace, ATOF", `${readFileSync(atof, "utf8").trimEnd().split("\n").length} events`);
  const broken = await GatewayProcess.run(["--plugin", join(folder.path, "nowhere/troupe-plugin.toml")]);
  if (broken.code === 0) throw new Error("a missing plugin must not let the gateway start");
  report.saw(`without its plugin it doesn't start: ${broken.err.trim().split("\n")[0] ?? ""}`);
}
