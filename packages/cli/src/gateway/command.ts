/** `troupe gateway`: what it says, and how it ends. */
import { Gateway } from "./gateway.ts";
import { type GatewayFlags, readOptions } from "./options.ts";
import { describePlan, planGateway } from "./plan.ts";

/** The command's ways to the outside. */
export interface Terminal {
  readonly cwd: string;
  readonly out: (text: string) => void;
  /** Settles when the process is asked to end. */
  readonly asked: () => Promise<string>;
}

/** Runs a gateway until it is asked to end. Throws what keeps it from starting. */
export async function runGateway(flags: GatewayFlags, terminal: Terminal): Promise<void> {
  const options = readOptions(flags, terminal.cwd);
  if (options.dryRun) {
    const plan = await planGateway(options);
    terminal.out(options.json ? `${JSON.stringify(plan)}\n` : describePlan(plan));
    return;
  }
  const asked = terminal.asked();
  await using gateway = await Gateway.start(options);
  terminal.out(options.json ? `${JSON.stringify(started(gateway))}\n` : describe(gateway));
  await asked;
}

function started({ url, upstream, plugins }: Gateway) {
  return {
    url,
    upstream: upstream?.href ?? null,
    plugins: plugins.status.map(({ id, version, kind, registrations }) => ({
      id,
      version,
      kind,
      registrations,
    })),
    skipped: plugins.skipped.map(({ plugin, error }) => ({ plugin, message: error.message })),
  };
}

function describe({ url, upstream, plugins }: Gateway): string {
  return [
    ...plugins.skipped.map(({ plugin, error }) => `Left out optional plugin ${plugin}: ${error.message}`),
    ...plugins.status.map(({ id, version, kind }) => `Activated plugin ${id} ${version} (${kind})`),
    upstream === undefined
      ? "Model calls are refused: --upstream is not given"
      : `Model calls go to ${upstream.href}`,
    `Listening at ${url}`,
    "",
  ].join("\n");
}
