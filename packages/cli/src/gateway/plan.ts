/** Plan: what `troupe gateway` would do, found by reading, and a connection to the address where it would listen. */
import { inspectPlugin, type PluginInspection } from "@troupe/plugins/installed";
import { addressesOf, describeUpstreams } from "@troupe/relay/model-proxy";
import { askedPlugins } from "./asked-plugins.ts";
import { checkComponents } from "./needs/components.ts";
import { checkKeys } from "./needs/keys.ts";
import { checkBind, checkProxies, checkTrace } from "./needs/machine.ts";
import type { GatewayOptions } from "./options.ts";

/** What a dry run reports. */
export interface GatewayPlan {
  readonly bind: string;
  /** Addresses by provider; `any` is for those without one of their own. */
  readonly upstreams: Readonly<Record<string, string>>;
  readonly atof: string | null;
  readonly plugins: readonly PlannedPlugin[];
  /** What else would keep it from starting. */
  readonly problems: readonly PlannedProblem[];
  /** False: the gateway wouldn't start. */
  readonly starts: boolean;
}

/** One thing that is wrong, as `troupe doctor` says it. */
export interface PlannedProblem {
  readonly check: string;
  readonly message: string;
  readonly mend: string | null;
}

/** A plugin in a plan. */
export interface PlannedPlugin {
  readonly source: string;
  readonly id: string | null;
  readonly version: string | null;
  readonly kind: string | null;
  readonly startup: string | null;
  readonly runsIn: string | null;
  readonly file: string | null;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Plans without doing: nothing is written, bound or started. */
export async function planGateway(
  options: GatewayOptions,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<GatewayPlan> {
  const { host, port, upstreams, atof } = options;
  const { plugins, policy } = await askedPlugins(options);
  const found = await Promise.all(plugins.map((source) => inspectPlugin(source, policy)));
  const findings = [
    await checkBind(options),
    await checkTrace(options),
    ...checkComponents(options),
    ...checkProxies(options, env),
    ...(await checkKeys(options, env)),
  ];
  const problems = findings.filter(({ level }) => level === "problem");
  return {
    bind: `${host}:${port}`,
    upstreams: addressesOf(upstreams),
    atof: atof ?? null,
    plugins: found.map(planned),
    problems: problems.map(({ check, message, mend }) => ({ check, message, mend })),
    starts:
      problems.length === 0 &&
      found.every(({ problem, startup }) => problem === undefined || startup === "optional"),
  };
}

function planned({
  source,
  id,
  version,
  kind,
  startup,
  runsIn,
  file,
  problem,
}: PluginInspection): PlannedPlugin {
  return {
    source,
    id: id ?? null,
    version: version ?? null,
    kind: kind ?? null,
    startup: startup ?? null,
    runsIn: runsIn ?? null,
    file: file ?? null,
    problem:
      problem === undefined ? null : { code: `${problem.group}.${problem.code}`, message: problem.message },
  };
}

/** The plan for people. */
export function describePlan(plan: GatewayPlan): string {
  const { bind, upstreams, atof, plugins, problems, starts } = plan;
  return [
    bind.endsWith(":0") ? `Would listen at a free port of ${bind.slice(0, -2)}` : `Would listen at ${bind}`,
    `Would send model calls to ${describeUpstreams(upstreams) ?? "nowhere: --upstream is not given"}`,
    ...(atof === null ? [] : [`Would write events to ${atof}`]),
    ...plugins.map(describePlugin),
    ...problems.map(
      ({ check, message, mend }) => `Would fail on ${check}: ${message}${mend === null ? "" : `; ${mend}`}`,
    ),
    starts ? "The gateway would start." : "The gateway would not start.",
    "",
  ].join("\n");
}

function describePlugin({
  source,
  id,
  version,
  kind,
  startup,
  runsIn,
  file,
  problem,
}: PlannedPlugin): string {
  const name = id === null ? source : `${id} ${version} (${kind}, ${startup})`;
  if (problem !== null) return `Would fail on plugin ${name}: ${problem.message} [${problem.code}]`;
  return `Would activate plugin ${name} in ${runsIn} from ${file}`;
}
