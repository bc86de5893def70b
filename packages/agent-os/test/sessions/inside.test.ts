/** An agent that runs in the sandbox: it sees the sandbox's files and nothing of the host's, and goes on over a crash and a sleep. */
import { agentOS } from "@troupe/agent-os";
import { expect, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { missing, processDriver } from "../support/bubblewrap.ts";
import { failure } from "../support/errors.ts";

/** Does what its prompt says in JavaScript, and says what came of it. */
const AGENT = `
const { readFileSync } = require("node:fs");
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
const answers = {
  initialize: () => ({ protocolVersion: 1, agentCapabilities: {} }),
  "session/new": () => ({ sessionId: "s" + process.pid }),
  "session/prompt": ({ sessionId, prompt }) => {
    let text;
    try { text = String(eval(prompt.at(-1).text)); } catch (cause) { text = cause.code ?? cause.message; }
    say({ method: "session/update", params: { sessionId, update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } } });
    return { stopReason: "end_turn" };
  },
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) say({ id, result: answers[method](params) });
});
`;

test("an agent inside works on the sandbox's files, with its variables; its end is told, and the next prompt starts it again", async (t) => {
  if (missing !== undefined) t.skip(missing);
  const agents = {
    inner: { command: "/run/troupe/node", args: ["agent.cjs"], env: { MINE: "1" }, inside: true },
  };
  const start = () => ({ workspace: agentOS({ agents, sandbox: processDriver() }) });
  await using ground = await Ground.start(start());
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  const say = async (code: string) => {
    await handle().prompt({ content: code });
    const { events } = await handle().readHistory();
    return JSON.stringify(events.at(-1));
  };
  await handle().writeFile("/home/user/agent.cjs", AGENT);
  await handle().writeFile("/home/user/note", "a note");
  await handle().openSession();
  expect(await say('readFileSync("/home/user/note", "utf8")')).toContain('"text":"a note"');
  expect(await say("[process.cwd(), process.env.MINE, process.env.HOME].join()")).toContain(
    '/home/user,1,/home/user"',
  );
  expect(await say(`readFileSync(${JSON.stringify(import.meta.filename)})`)).toContain("ENOENT");
  await say('require("node:fs").writeFileSync("/home/user/made", "by the agent")');
  expect(new TextDecoder().decode(await handle().readFile("/home/user/made"))).toBe("by the agent");
  const gone = await failure(
    handle().prompt({ content: 'require("node:fs").writeSync(2, "oh no"); process.exit(3)' }),
  );
  expect([gone.code, gone.metadata?.["code"], gone.metadata?.["stderr"]]).toEqual(["exited", 3, "oh no"]);
  expect(await say("1 + 1")).toContain('"text":"2"');
  await ground.restart(start());
  expect(await say('readFileSync("made", "utf8")')).toContain('"text":"by the agent"');
}, 120_000);

test("only a sandbox of real processes can have an agent inside", () => {
  const agents = { inner: { command: "agent", inside: true } };
  expect(() => agentOS({ agents })).toThrow("agents.inner.inside");
});
