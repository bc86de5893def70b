/**
 * Real agents: Gemini CLI and Pi as npm has them, nothing of theirs changed but where their home and their model are. Each story
 * starts its agent as rarely as it can: that is what takes its time.
 */
import {
  agentOS,
  type Entry,
  type HookContext,
  type HostTool,
  type PermissionRequest,
} from "@troupe/agent-os";
import { expect, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { failure } from "../support/errors.ts";
import { Reader, upTo } from "../support/reader.ts";
import { gemini, Place, pi } from "../support/real-agents.ts";
import { ScriptedModel } from "../support/scripted-model.ts";

const call = (name: string, args: Readonly<Record<string, unknown>>) => ({ call: { name, args } });

test("Gemini CLI reads, asks before it runs and writes, is cancelled, killed and goes on where it was, its model behind the actor's proxy; who comes late hears all of it", async (context) => {
  const program = process.env.TROUPE_TEST_GEMINI ?? "";
  if (program === "") return context.skip(process.env.TROUPE_TEST_GEMINI_WHY ?? "no Gemini CLI");
  using place = new Place();
  await using model = await ScriptedModel.start();
  place.write("project/note.txt", "The secret is tulip.");
  const inSandbox = `${place.project}/draft.txt`;
  const asked: string[] = [];
  const permissions = ({ toolCall }: PermissionRequest) => {
    asked.push(toolCall.kind ?? "");
    return toolCall.title?.includes("touch") === true ? ("reject" as const) : ("allow" as const);
  };
  const agents = { gemini: gemini(program, place) };
  // It has a key of its own; its model is asked by the actor, with the program's.
  const models = { upstreams: { gemini: model.url }, keys: { gemini: "sk-the-programs" } };
  const lookedUp: unknown[] = [];
  const lookup: HostTool<HookContext> = {
    description: "Says where a flower grows",
    inputSchema: { type: "object", properties: { flower: { type: "string" } }, required: ["flower"] },
    run: (c, args, { sessionId }) => {
      lookedUp.push([c.key, sessionId, args]);
      return { place: "by the lake" };
    },
  };
  const definition = agentOS({ agents, models, permissions, tools: { lookup } });
  await using ground = await Ground.start({ workspace: definition });
  const conn = ground.client.workspace.getOrCreate(["a"]).connect();
  const early = new Reader(conn, { sessionId: "main" });
  await conn.writeFile(inSandbox, "The answer is 41.");
  await conn.openSession({ cwd: place.project });

  model.says(
    call("read_file", { file_path: "note.txt" }),
    call("mcp_troupe_lookup", { flower: "tulip" }),
    call("run_shell_command", { command: "cat note.txt | tr a-z A-Z", description: "reads it aloud" }),
    call("replace", { file_path: "draft.txt", old_string: "41", new_string: "42", instruction: "count on" }),
    { text: "It is tulip." },
  );
  expect(await conn.prompt({ content: "What is the secret?" })).toEqual({ stopReason: "end_turn" });
  expect(asked).toEqual(["other", "execute", "edit"]);
  expect([...model.keys]).toEqual(["sk-the-programs"]);
  // What it did is what it told its model.
  const [, read, found, ran, wrote] = model.asked;
  expect(read).toContain("The secret is tulip.");
  expect(found).toContain("by the lake");
  expect(lookedUp).toEqual([[["a"], "main", { flower: "tulip" }]]);
  expect(ran).toContain("THE SECRET IS TULIP.");
  expect(wrote).toContain("draft.txt");
  // Its edits are ACP's, and so the sandbox's; its shell is its own, on the host.
  expect(new TextDecoder().decode(await conn.readFile(inSandbox))).toBe("The answer is 42.");
  expect(() => place.read("project/draft.txt")).toThrow("ENOENT");

  model.says("hang");
  const before = model.asked.length;
  const cancelled = conn.prompt({ content: "Think for ever." });
  await model.wasAsked(before + 1);
  expect(await conn.cancelPrompt()).toBe("cancelled");
  expect(await cancelled).toEqual({ stopReason: "cancelled" });

  model.says(call("run_shell_command", { command: "kill -9 $PPID", description: "ends the agent" }));
  const error = await failure(conn.prompt({ content: "Fall over.", idempotencyKey: "fall" }));
  expect([error.code, error.metadata?.["signal"]]).toEqual(["exited", "SIGKILL"]);
  const again = await failure(conn.prompt({ content: "Fall over.", idempotencyKey: "fall" }));
  expect(again.code).toBe("prompt_uncertain");

  model.says({ text: "Tulip, as I said." });
  expect(await conn.prompt({ content: "What was it?" })).toEqual({ stopReason: "end_turn" });
  // The agent has loaded the session by itself: what was said before is in what its model gets, and it isn't said twice here.
  expect(model.asked.at(-1)).toContain("It is tulip.");
  const late = new Reader(conn, { sessionId: "main" });
  const last = (await conn.readHistory({ limit: 1 })).events[0]?.sequence ?? 0;
  await Promise.all([early.reaches(last), late.reaches(last)]);
  expect(late.entries).toEqual(early.entries);
  expect(late.sequences).toEqual(upTo(last));
  expect(textsOf(late.entries)).toEqual(["It is tulip.", "Tulip, as I said."]);
  await conn.dispose();
}, 120_000);

test("Pi reads, runs and writes; a process that is killed under it leaves its prompt uncertain; after a sleep it loads the session", async (context) => {
  const program = process.env.TROUPE_TEST_PI ?? "";
  if (program === "") return context.skip(process.env.TROUPE_TEST_PI_WHY ?? "no Pi");
  using place = new Place();
  await using model = await ScriptedModel.start();
  place.write("project/note.txt", "The secret is tulip.");
  const agents = { pi: pi(program, place, model.url) };
  await using ground = await Ground.start({ workspace: agentOS({ agents }) });
  const workspace = () => ground.client.workspace.getOrCreate(["a"]);
  await workspace().openSession({ cwd: place.project });

  model.says(
    call("read", { path: "note.txt" }),
    call("bash", { command: "tr a-z A-Z < note.txt" }),
    call("write", { path: "loud.txt", content: "TULIP" }),
    { text: "It is tulip." },
  );
  expect(await workspace().prompt({ content: "What is the secret?" })).toEqual({ stopReason: "end_turn" });
  expect(model.asked[1]).toContain("The secret is tulip.");
  expect(model.asked[2]).toContain("THE SECRET IS TULIP.");
  expect(place.read("project/loud.txt")).toBe("TULIP");

  model.says("hang");
  const lost = workspace().prompt({ content: "Think for ever.", idempotencyKey: "think" });
  lost.catch(() => undefined);
  await model.wasAsked(5);
  await ground.kill();
  const error = await failure(workspace().prompt({ content: "Think for ever.", idempotencyKey: "think" }));
  expect(error.code).toBe("prompt_uncertain");
  expect(model.asked).toHaveLength(5);

  model.says({ text: "Tulip, as I said." });
  expect(await workspace().openSession({})).toMatchObject({ resumed: true, agentInfo: { name: "pi-acp" } });
  expect(await workspace().prompt({ content: "What was it?" })).toEqual({ stopReason: "end_turn" });
  expect(model.asked.at(-1)).toContain("It is tulip.");
  const { events } = await workspace().getSessionEvents({ sessionId: "main" });
  expect(events.map(({ sequence }) => sequence)).toEqual(upTo(events.length));
  expect(textsOf(events)).toEqual(["It is tulip.", "Tulip, as I said."]);
  expect(events.filter(({ event }) => nameOf(event) === "_prompt_interrupted")).toHaveLength(1);
}, 120_000);

function textsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ event }) => {
    if (!("sessionUpdate" in event) || event.sessionUpdate !== "agent_message_chunk") return [];
    return event.content.type === "text" && event.content.text !== "" ? [event.content.text] : [];
  });
}

function nameOf(event: Entry["event"]): string {
  return "sessionUpdate" in event ? event.sessionUpdate : event.type;
}
