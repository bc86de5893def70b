/** The commands of `troupe plugins`, and their flags. */
import type { Command } from "commander";
import type { EnableFlags } from "./change.ts";
import type { NewFlags } from "./new.ts";
import type { CommonFlags, PluginTerminal } from "./terminal.ts";

/** Adds them to `troupe`. */
export function addPluginCommands(program: Command, terminal: PluginTerminal): void {
  const plugins = program
    .command("plugins")
    .description("Plugins: what is there, and what may run. The user's come before the project's");
  addChanges(plugins, terminal);
  addLooks(plugins, terminal);
  const made = plugins.command("new <id>").description("Makes a plugin's folder from a template");
  common(made, { scopes: false })
    .requiredOption(
      // Whoever leaves it out is told these.
      "--lang <c|c-wasm|rust|python|typescript|module|isolate>",
      "what it is written in; typescript is a worker, module and isolate are TypeScript too",
    )
    .option("--into <folder>", "where to make it; default: here")
    .option("--dry-run", "says what would be made, and makes nothing")
    .action(async (id: string, flags: NewFlags) => {
      const { newPlugin } = await import("./new.ts");
      await newPlugin(id, flags, terminal);
    });
}

/** Loaded by those that run. */
const changes = (): Promise<typeof import("./change.ts")> => import("./change.ts");
const looks = (): Promise<typeof import("./show.ts")> => import("./show.ts");

type ChangeOne = "addPlugin" | "disablePlugin" | "removePlugin" | "pinPlugin";

function addChanges(plugins: Command, terminal: PluginTerminal): void {
  const change = (usage: string, description: string): Command =>
    common(plugins.command(usage).description(description)).option(
      "--dry-run",
      "says what would be changed, and changes nothing",
    );
  const one = (usage: string, description: string, run: ChangeOne): void => {
    change(usage, description).action(
      async (name: string, flags: CommonFlags) => await (await changes())[run](name, flags, terminal),
    );
  };
  one("add <path>", "Adds a plugin by its folder or manifest; it is disabled then", "addPlugin");
  change("enable <id>", "Lets a plugin run from the next start or reload on")
    .option("--trust", "its code may run in the host's process; pins it")
    .option("--config <file>", "its configuration, a JSON file")
    .action(
      async (id: string, flags: EnableFlags) => await (await changes()).enablePlugin(id, flags, terminal),
    );
  one("disable <id>", "Doesn't let it run any more", "disablePlugin");
  one("remove <id>", "Takes it off the list; its files stay", "removePlugin");
  one("pin <id>", "Takes digests of it: anything else is refused from then on", "pinPlugin");
}

const byName = "its id, or the path of its folder or manifest";

function addLooks(plugins: Command, terminal: PluginTerminal): void {
  common(plugins.command("list").description("Lists plugins")).action(
    async (flags: CommonFlags) => await (await looks()).listPlugins(flags, terminal),
  );
  common(
    plugins.command("inspect").argument("<plugin>", byName).description("Says all that is known of a plugin"),
  ).action(
    async (name: string, flags: CommonFlags) => await (await looks()).inspectOne(name, flags, terminal),
  );
  common(
    plugins
      .command("validate")
      .argument("<plugin>", byName)
      .description("Says whether a manifest and its files are right"),
  ).action(
    async (name: string, flags: CommonFlags) => await (await looks()).validatePlugin(name, flags, terminal),
  );
  common(
    plugins.command("verify [id]").description("Compares plugins with their digests, pins and signatures"),
  ).action(
    async (id: string | undefined, flags: CommonFlags) =>
      await (await looks()).verifyPlugins(id, flags, terminal),
  );
}

function common(command: Command, { scopes }: { readonly scopes: boolean } = { scopes: true }): Command {
  if (scopes)
    command.option("--user", "the user's plugins alone").option("--project", "the project's plugins alone");
  return command.option("--json", "speaks JSON");
}
