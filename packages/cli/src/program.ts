/**
 * The program `troupe`: its commands and their options. What a command needs is loaded when it runs: most of them are over sooner than
 * the runtime is loaded.
 */
import { TROUPE_VERSION } from "@troupe/base";
import { Command } from "commander";
import { addActorCommands } from "./actors/program.ts";
import type { ConfigShowFlags } from "./config/command.ts";
import type { DataFlags } from "./data/backup.ts";
import type { DataDoctorFlags } from "./data/doctor.ts";
import type { DoctorFlags } from "./doctor/command.ts";
import type { EngineFlags } from "./engine/command.ts";
import type { GatewayFlags } from "./gateway/options.ts";
import { addPluginCommands } from "./plugins/program.ts";
import type { PluginTerminal } from "./plugins/terminal.ts";
import type { RunFlags, RunTerminal } from "./run/command.ts";
import type { StartFlags } from "./start/command.ts";
import type { TraceFlags } from "./trace/command.ts";

/** The commands, not yet run. What can't be understood is thrown: see `failure.ts`. */
export function troupeProgram(terminal: RunTerminal & PluginTerminal): Command {
  const program = new Command("troupe")
    .description("Stateful actors and AI agents")
    .version(TROUPE_VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: (text) => terminal.err?.(text),
      outputError: () => {},
    });
  addGatewayCommands(program, terminal);
  addServingCommands(program, terminal);
  addActorCommands(program, terminal);
  addDataCommands(program, terminal);
  program
    .command("trace <file>")
    .description("Shows a trace that --atof wrote: the tree of its calls, with times, models and tokens")
    .option("--html <file>", "writes a page that opens by itself instead")
    .action(async (file: string, flags: TraceFlags) => {
      const { runTrace } = await import("./trace/command.ts");
      await runTrace(file, flags, terminal);
    });
  withGatewayOptions(program.command("config"))
    .description("Shows the configuration of a gateway, as these flags, variables and files make it")
    .option("--bind <address>", "as troupe gateway has it")
    .option("--sources", "says where each value was set")
    .option("--json", "speaks JSON")
    .action(async (flags: ConfigShowFlags) => {
      const { showConfiguration } = await import("./config/command.ts");
      showConfiguration(flags, terminal);
    });
  withGatewayOptions(program.command("doctor [data]"))
    .description(
      "Says what keeps a gateway from starting or an agent from being guarded, and how to mend it; or, with a data folder, what is wrong with that",
    )
    .option("--bind <address>", "as troupe gateway has it")
    .option("--offline", "connects to no provider")
    .option("--salvage <to>", "of a data folder: makes a new one of all that can be read")
    .option("--give-up <id>", "of a data folder: ends an actor for good whose own file is lost; asks before")
    .option("--yes", "with --give-up: doesn't ask")
    .option("--json", "speaks JSON")
    .action(async (data: string | undefined, flags: DoctorFlags & DataDoctorFlags) => {
      if (data === undefined && flags.salvage === undefined && flags.giveUp === undefined) {
        const { runDoctor } = await import("./doctor/command.ts");
        return await runDoctor(flags, terminal);
      }
      const { runDataDoctor } = await import("./data/doctor.ts");
      await runDataDoctor(data, flags, terminal);
    });
  program
    .command("hook <agent>")
    .description("Asks the gateway about an event of an agent, from standard input: for agents' own settings")
    .action(async (agent: string) => {
      const { runHook, thisProcess } = await import("./hook/command.ts");
      await runHook(agent, thisProcess());
    });
  addPluginCommands(program, terminal);
  return program;
}

/** The commands that put a gateway before a model provider. */
function addGatewayCommands(program: Command, terminal: RunTerminal & PluginTerminal): void {
  withDryRun(withGatewayOptions(program.command("gateway")))
    .description("Serves a gateway between an agent and its model provider")
    .option("--bind <address>", "a loopback address and a port to listen at; default: 127.0.0.1:4040")
    .option("--json", "speaks JSON")
    .action(async (flags: GatewayFlags) => {
      const { runGateway } = await import("./gateway/command.ts");
      await runGateway(flags, terminal);
    });
  withDryRun(withGatewayOptions(program.command("run <program> [args...]")))
    .description("Runs an agent with its model calls behind a gateway of its own: troupe run -- claude")
    .passThroughOptions()
    .option("--no-summary", "says nothing at the end")
    .option(
      "--agent <name>",
      "how it is told: claude, codex, gemini or opencode; default: by its program's name",
    )
    .action(async (agent: string, args: readonly string[], flags: RunFlags) => {
      const { runBehindGateway } = await import("./run/command.ts");
      await runBehindGateway(flags, agent, args, terminal);
    });
}

/** The commands that serve actors. */
function addServingCommands(program: Command, terminal: RunTerminal & PluginTerminal): void {
  program
    .command("start <file>")
    .description(
      "Runs the registry that a program exports, with its plugins and installed ones; SIGHUP reloads those",
    )
    .option("--port <port>", "where it listens; default: TROUPE_PORT, or 6420")
    .option("--host <address>", "at which address; default: TROUPE_HOST, or 127.0.0.1")
    .option("--data <folder>", "where actors are kept; default: TROUPE_DATA, or .troupe")
    .option("--no-installed", "leaves out the plugins that are installed and enabled")
    .option("--hosts <n>", "runs the actors in so many processes, and keeps them alive; default: in this one")
    .action(async (file: string, flags: StartFlags) => {
      const { startProgram } = await import("./start/command.ts");
      await startProgram(file, flags, terminal);
    });
  program
    .command("host <file>", { hidden: true })
    .description("One process of `troupe start --hosts n`")
    .action(async (file: string) => {
      const { runHostProcess } = await import("./start/hosts/command.ts");
      await runHostProcess(file, terminal);
    });
  program
    .command("engine")
    .description("Serves the actors that remote hosts bring: a gateway and a store without code of their own")
    .option("--port <port>", "where it listens; default: TROUPE_PORT, or 6420")
    .option("--host <address>", "at which address; default: TROUPE_HOST, or 127.0.0.1")
    .option("--data <folder>", "where actors are kept; default: TROUPE_DATA, or .troupe")
    .option(
      "--tokens <file>",
      "JSON: what hosts show, each with a namespace or pool; else TROUPE_HOSTS_TOKEN",
    )
    .option("--namespace <name>", "makes a namespace beside the default one; may be given again", collect)
    .option("--allow-host <name>", "a host name that requests may be for; may be given again", collect)
    .option("--allow-origin <origin>", "whose pages may call; may be given again", collect)
    .option("--auth <how>", "token (TROUPE_TOKEN) or application; needed where others can reach it")
    .option("--sql-time-limit <ms>", "hosts aren't trusted: a text of their SQL that takes longer is ended")
    .option("--inspector", "lets people look into actors, with TROUPE_INSPECTOR_TOKEN")
    .action(async (flags: EngineFlags) => {
      const { runEngine } = await import("./engine/command.ts");
      await runEngine(flags, terminal);
    });
}

/** The commands on data folders. */
function addDataCommands(program: Command, terminal: RunTerminal & PluginTerminal): void {
  program
    .command("backup <data> <to>")
    .description("Copies a data folder, also one that a server has, into a folder that isn't there yet")
    .option("--json", "speaks JSON")
    .action(async (data: string, to: string, flags: DataFlags) => {
      const { runBackup } = await import("./data/backup.ts");
      await runBackup(data, to, flags, terminal);
    });
  program
    .command("restore <backup> <data>")
    .description("Makes a data folder of a backup, when each of its files is what was backed up")
    .option("--json", "speaks JSON")
    .action(async (from: string, data: string, flags: DataFlags) => {
      const { runRestore } = await import("./data/backup.ts");
      await runRestore(from, data, flags, terminal);
    });
}

/** What a gateway takes, however it is started. */
function withGatewayOptions(command: Command): Command {
  return command
    .option(
      "--upstream <url>",
      "the model provider; openai=, anthropic= or gemini=<url> for one of them",
      collect,
    )
    .option("--plugin <manifest>", "a troupe-plugin.toml to activate; may be given again", collect)
    .option("--no-installed", "leaves out the plugins that are installed and enabled")
    .option("--atof <file>", "writes the trace to this file")
    .option("--config <file>", "a troupe.toml, over the user's own; default: TROUPE_CONFIG");
}

function withDryRun(command: Command): Command {
  return command.option("--dry-run", "reports what would be done, and does nothing of it");
}

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}
