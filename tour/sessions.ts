/** Live sessions: an agent behind ACP, and everybody who watches it. */
import { agentOS } from "troupe/agent-os";
import { subscribe } from "troupe/agent-os/client";
import { scripted } from "../packages/agent-os/test/support/agents.ts";
import { median, type Part, same, shown } from "./part.ts";
import { Serving } from "./serving.ts";

const SESSION = "tour";

export const sessions: Part = {
  title: "Live sessions: an ACP agent in a process of its own, watched by everybody",
  async run(report) {
    const workspace = agentOS({ agents: { scripted }, permissions: "allow_all" });
    await using troupe = await Serving.start({ use: { workspace } });
    const handle = troupe.client.workspace.getOrCreate(["tour"]);
    const connection = handle.connect();
    await connection.openSession({ sessionId: SESSION });
    await connection.writeFile("/home/user/notes.txt", "first line\n");
    const prompt = "stream 5\nread /home/user/notes.txt\nrun cat /home/user/notes.txt | wc -c";
    const { stopReason } = await connection.prompt({ sessionId: SESSION, content: prompt });
    report.saw(`a prompt that streams, reads a file and runs a command ends with "${stopReason}"`);
    const late: number[] = [];
    const { events } = await connection.getSessionEvents({ sessionId: SESSION, after: 0 });
    for await (const { sequence } of subscribe(connection, { sessionId: SESSION, after: 0 })) {
      late.push(sequence);
      if (sequence === events.at(-1)?.sequence) break;
    }
    same(
      "the sequences",
      late,
      late.map((_, index) => index + 1),
    );
    report.saw("who comes late reads every event once and in order", `${late.length} events`);
    report.saw("one command in the sandbox, p50", shown(await median(20, () => handle.exec("echo hello"))));
    await connection.dispose();
  },
};
