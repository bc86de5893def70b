/** `troupe gateway`: what it says, and how it ends. */
import { TroupeError } from "@troupe/base";
import { addressesOf, describeUpstreams } from "@troupe/relay/model-proxy";
import { textWithoutSecrets } from "@troupe/relay/secrets";
import { describePlugins, diagnosticsOf } from "./diagnostics.ts";
import { Gateway } from "./gateway.ts";
import { type GatewayFlags, type GatewayOptions, readOptions, type Surroundings } from "./options.ts";
import { describePlan, planGateway } from "./plan.ts";

/** The command's ways to the outside. */
export interface Terminal extends Surroundings {
  readonly out: (text: string) => void;
  /** Standard error. */
  readonly err?: (text: string) => void;
  /** Settles when the process is asked to end; `ignored`: signals that mean nothing to it. */
  readonly asked: (ignored?: readonly NodeJS.Signals[]) => Promise<string>;
  /** Calls `listener` whenever the process is asked to reload. Default: nobody asks. */
  readonly onReload?: (listener: () => void) => void;
}

/** The first would open Node's debugger, to whoever is on this machine; the other would end the process without its teardown. */
const meaningless = ["SIGUSR1", "SIGUSR2"] as const;

/** Runs a gateway until it is asked to end. Throws what keeps it from starting. */
export async function runGateway(flags: GatewayFlags, terminal: Terminal): Promise<void> {
  const options = readOptions(flags, terminal);
  const { json } = options;
  if (options.dryRun) {
    const plan = await planGateway(options, terminal.env);
    terminal.out(json ? `${JSON.stringify(plan)}\n` : describePlan(plan));
    return;
  }
  const asked = terminal.asked(meaningless);
  // From here on: a signal that nobody listens to would end the process in the middle of its start.
  const reloads = new ReloadRequests(terminal);
  await using gateway = await Gateway.start(options, { env: terminal.env });
  terminal.out(json ? `${JSON.stringify(started(gateway))}\n` : [...describe(gateway), ""].join("\n"));
  reloads.answer(
    () =>
      void reload(gateway, () => readOptions(flags, terminal)).then(({ reloaded, value, lines }) => {
        const tell = reloaded || json ? terminal.out : (terminal.err ?? terminal.out);
        tell(json ? `${JSON.stringify(value)}\n` : [...lines, ""].join("\n"));
      }),
  );
  await asked;
}

/** What the process is asked to reload. While nobody answers, one request stands for all. */
class ReloadRequests {
  #waits = false;
  #answer: () => void = () => {
    this.#waits = true;
  };

  constructor({ onReload }: Terminal) {
    onReload?.(() => this.#answer());
  }

  /** From now on. */
  answer(reloadNow: () => void): void {
    this.#answer = reloadNow;
    if (this.#waits) reloadNow();
  }
}

function started({ url, upstreams, plugins }: Gateway) {
  return { url, upstreams: addressesOf(upstreams), ...diagnosticsOf(plugins) };
}

function describe({ url, upstreams, plugins }: Gateway): string[] {
  const addresses = describeUpstreams(addressesOf(upstreams));
  return [
    ...describePlugins(plugins),
    addresses === undefined
      ? "Model calls are refused: --upstream is not given"
      : `Model calls go to ${addresses}`,
    `Listening at ${url}`,
  ];
}

/** What is said of a reload. One that fails changes nothing, and is no reason to end. */
async function reload(
  gateway: Gateway,
  options: () => GatewayOptions,
): Promise<{ reloaded: boolean; value: object; lines: readonly string[] }> {
  try {
    await gateway.reload(options());
  } catch (error) {
    const told = TroupeError.is(error) ? error : { group: "internal", code: "error", message: String(error) };
    const { group, code } = told;
    // It may tell what a plugin said of itself.
    const message = textWithoutSecrets(told.message);
    return {
      reloaded: false,
      value: { reloaded: false, error: { code: `${group}.${code}`, message } },
      lines: [`Not reloaded, everything is as it was: ${message} [${group}.${code}]`],
    };
  }
  return {
    reloaded: true,
    value: { reloaded: true, ...started(gateway) },
    lines: ["Reloaded", ...describe(gateway)],
  };
}
