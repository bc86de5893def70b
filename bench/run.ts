/** `npm run bench`: every line is a ratio against a floor measured in the same run, or a time over it. */
import { loadavg } from "node:os";
import { commandLine, numberOf, refuse } from "../tools/command-line.ts";
import { type Figure, format, type Line, reached, type Unmeasured } from "./line.ts";
import { agentOSLines } from "./lines/agent-os.ts";
import { carrierLines } from "./lines/carriers.ts";
import { gatewayLines } from "./lines/gateway.ts";
import { hibernationLines } from "./lines/hibernation.ts";
import { hostsLines } from "./lines/hosts.ts";
import { isolateLines } from "./lines/isolate.ts";
import { latencyLines } from "./lines/latency.ts";
import { nativeLines } from "./lines/native.ts";
import { neighbourLines } from "./lines/neighbours.ts";
import { pluginLines } from "./lines/plugins.ts";
import { relayLines } from "./lines/relay.ts";
import { remoteLines } from "./lines/remote.ts";
import { sqlLines } from "./lines/sql.ts";
import { throughputLines } from "./lines/throughput.ts";
import { wasmLines } from "./lines/wasm.ts";
import { workflowLines } from "./lines/workflow.ts";
import { placement } from "./processes.ts";

const lines: readonly Line[] = [
  ...throughputLines,
  ...latencyLines,
  ...sqlLines,
  ...workflowLines,
  ...hibernationLines,
  ...hostsLines,
  ...remoteLines,
  ...nativeLines,
  ...isolateLines,
  ...wasmLines,
  ...carrierLines,
  ...pluginLines,
  ...neighbourLines,
  ...relayLines,
  ...gatewayLines,
  ...agentOSLines,
];

/** True for a line's own name, and for the first words of it. */
function names(wanted: string, { name }: Line): boolean {
  return name === wanted || name.startsWith(`${wanted}-`);
}

const USAGE = `npm run bench                          all lines, median of 5 rounds
npm run bench -- --rounds 3 ws-1 wake  some lines, fewer rounds
npm run bench -- agent-os              all lines whose names begin with that word
npm run bench -- --markdown            the table as the README has it

lines:
${lines.map((line) => `  ${line.name.padEnd(24)}${line.work}`).join("\n")}`;

const { values, positionals } = commandLine(USAGE, {
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, markdown: { type: "boolean", default: false } },
});

const rounds = numberOf("--rounds", values.rounds, USAGE);
const unknown = positionals.filter((name) => !lines.some((line) => names(name, line)));
if (unknown.length > 0) refuse(`There is no line ${unknown.join(", ")}`, USAGE);

console.log(
  `Node ${process.version}, durability commit, ${placement}, median of ${rounds}, load before the run ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
);
if (values.markdown) {
  console.log("| work | wanted | reached | CPU an operation | written an operation | figures | peers |");
  console.log("|---|---|---|---|---|---|---|");
}
for (const line of lines) {
  if (positionals.length > 0 && !positionals.some((name) => names(name, line))) continue;
  const figure = await line.measure(rounds);
  if ("missing" in figure)
    console.log(values.markdown ? rowWithout(line, figure) : textWithout(line, figure));
  else console.log(values.markdown ? row(line, figure) : text(line, figure));
}
process.exit(0);

function wanted(line: Line): string {
  return `${line.better === "greater" ? "≥" : "≤"} ${format(line, line.target)}`;
}

function cpu(figure: Figure): string {
  if (figure.cpuUs === undefined) return "";
  const floor = figure.floorCpuUs === undefined ? "" : ` (floor ${figure.floorCpuUs.toFixed(1)})`;
  return `${figure.cpuUs.toFixed(1)} µs${floor}`;
}

function bytes(figure: Figure): string {
  return figure.bytes === undefined ? "" : `${Math.round(figure.bytes)} B`;
}

function row(line: Line, figure: Figure): string {
  const mark = reached(line, figure.value) ? format(line, figure.value) : `**${format(line, figure.value)}**`;
  const cells = [line.work, wanted(line), mark, cpu(figure), bytes(figure), figure.detail, line.peers];
  return `| ${cells.join(" | ")} |`;
}

function text(line: Line, figure: Figure): string {
  const verdict = reached(line, figure.value) ? "reached" : "MISSED ";
  const extra = [figure.detail, cpu(figure), bytes(figure)].filter((part) => part !== "").join("; ");
  return `${verdict} ${format(line, figure.value).padStart(9)}  ${wanted(line).padEnd(10)} ${line.work}\n${" ".repeat(19)}${extra}\n${" ".repeat(19)}peers: ${line.peers}`;
}

function rowWithout(line: Line, { missing }: Unmeasured): string {
  return `| ${[line.work, wanted(line), "not measured", "", "", missing, line.peers].join(" | ")} |`;
}

function textWithout(line: Line, { missing }: Unmeasured): string {
  const indent = " ".repeat(19);
  return `${"not measured".padEnd(17)}  ${wanted(line).padEnd(10)} ${line.work}\n${indent}${missing}\n${indent}peers: ${line.peers}`;
}
