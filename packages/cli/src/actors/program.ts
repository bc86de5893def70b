/** The commands of `troupe actors`, and their flags. */
import type { Command } from "commander";
import type { RunTerminal } from "../run/command.ts";
import type { ChangeFlags } from "./change.ts";
import type { ActorsFlags, ListFlags } from "./look.ts";

const which = "an id, or NAME/KEY";

/** Adds them to `troupe`. */
export function addActorCommands(program: Command, terminal: RunTerminal): void {
  const actors = program
    .command("actors")
    .description("Actors of a running server, through its inspector (TROUPE_INSPECTOR_TOKEN)");
  common(actors.command("list").description("Lists actors, awake or asleep, a page at a time"))
    .option("--name <name>", "of this name alone")
    .option("--key <prefix>", "whose keys begin so; the parts of a key are between slashes")
    .option("--state <state>", "asleep, loading, awake or stopping")
    .option("--limit <n>", "how many at most; default: 50")
    .option("--after <next>", "goes on behind a page: the next that it ended with")
    .action(async (flags: ListFlags) => await (await import("./look.ts")).listActors(flags, terminal));
  common(
    actors
      .command("show")
      .argument("<actor>", which)
      .description("Says how an actor is, and how much it has"),
  ).action(
    async (actor: string, flags: ActorsFlags) =>
      await (await import("./look.ts")).showActor(actor, flags, terminal),
  );
  const change = (verb: "wake" | "sleep" | "destroy", description: string): Command =>
    common(actors.command(verb).argument("<actor>", which).description(description)).action(
      async (actor: string, flags: ChangeFlags) =>
        await (await import("./change.ts")).changeActor(verb, actor, flags, terminal),
    );
  change("wake", "Wakes an actor, and says what keeps it from starting");
  change("sleep", "Puts an actor to sleep, when what it does now has ended");
  change("destroy", "Ends an actor for good, with all that it has; asks before").option(
    "--yes",
    "doesn't ask",
  );
}

function common(command: Command): Command {
  return command
    .option("--url <url>", "the server; default: TROUPE_ENDPOINT, or this machine at TROUPE_PORT or 6420")
    .option("--namespace <name>", "default: the default one")
    .option("--json", "speaks JSON");
}
