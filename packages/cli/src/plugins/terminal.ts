/** What commands about plugins are run with, and how they speak. */
import { findScopes, type ScopeName, type Scopes } from "@troupe/plugins/scopes";
import { pluginOptionErrors } from "./errors.ts";

/** The command's ways to the outside. */
export interface PluginTerminal {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  /** Says that something is wrong, when the command has said all that it has to say. */
  readonly fail: () => void;
}

/** Flags that every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly user?: boolean;
  readonly project?: boolean;
  /** Of commands that change something. */
  readonly dryRun?: boolean;
}

const DRY = "Nothing was changed. Without --dry-run it would say:";

/** A command, as it runs. */
export class Voice {
  readonly scopes: Scopes;
  /** The scope that was asked for. */
  readonly scope: ScopeName | undefined;
  readonly dryRun: boolean;
  readonly #terminal: PluginTerminal;
  readonly #json: boolean;

  /** Throws `config.two_scopes`. */
  constructor(flags: CommonFlags, terminal: PluginTerminal) {
    if (flags.user === true && flags.project === true) throw pluginOptionErrors.twoScopes();
    this.scopes = findScopes(terminal.cwd, terminal.env);
    this.scope = flags.user === true ? "user" : flags.project === true ? "project" : undefined;
    this.dryRun = flags.dryRun ?? false;
    this.#json = flags.json ?? false;
    this.#terminal = terminal;
  }

  get cwd(): string {
    return this.#terminal.cwd;
  }

  /** Says something: `value` to programs, the lines to people. */
  say(value: object, lines: readonly string[]): void {
    const { out } = this.#terminal;
    if (this.#json) out(`${JSON.stringify(this.dryRun ? { ...value, dryRun: true } : value)}\n`);
    else if (this.dryRun)
      out([DRY, ...lines.map((line) => (line === "" ? line : `  ${line}`)), ""].join("\n"));
    else out([...lines, ""].join("\n"));
  }

  /** The exit code is that of a failure. */
  fail(): void {
    this.#terminal.fail();
  }
}
