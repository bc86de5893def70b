/** What the agent can do: read, write and run, all of it through its client. */
import { type AgentContext, methods, type ToolCallContent, type ToolKind } from "@agentclientprotocol/sdk";

interface Place {
  readonly client: AgentContext;
  readonly sessionId: string;
}

type Args = Readonly<Record<string, string>>;

/** A tool: as the model sees it, as people see it, and what it does. */
export interface Tool {
  readonly declaration: { readonly name: string; readonly description: string; readonly parameters: object };
  readonly kind: ToolKind;
  /** Whether somebody has to agree. */
  readonly asks: boolean;
  title(args: Args): string;
  /** What people see before it runs. */
  shows(args: Args): ToolCallContent[];
  run(place: Place, args: Args): Promise<{ readonly text: string; readonly shown: ToolCallContent[] }>;
}

const read: Tool = {
  declaration: declare("read_file", "Reads a text file", { path: "An absolute path" }),
  kind: "read",
  asks: false,
  title: ({ path }) => `Read ${path}`,
  shows: () => [],
  run: async ({ client, sessionId }, { path = "" }) => {
    const { content } = await client.request(methods.client.fs.readTextFile, { sessionId, path });
    return { text: content, shown: [] };
  },
};

const write: Tool = {
  declaration: declare("write_file", "Writes a text file, and the folders above it", {
    path: "An absolute path",
    content: "All of the file",
  }),
  kind: "edit",
  asks: true,
  title: ({ path }) => `Write ${path}`,
  shows: ({ path = "", content = "" }) => [{ type: "diff", path, newText: content }],
  run: async ({ client, sessionId }, { path = "", content = "" }) => {
    await client.request(methods.client.fs.writeTextFile, { sessionId, path, content });
    return { text: "It is written.", shown: [{ type: "diff", path, newText: content }] };
  },
};

const run: Tool = {
  declaration: declare("run", "Runs a command line in a POSIX shell", { command: "The command line" }),
  kind: "execute",
  asks: true,
  title: ({ command = "" }) => command,
  shows: () => [],
  run: async ({ client, sessionId }, { command = "" }) => {
    await using terminal = await client.createTerminal({ sessionId, command, cwd: "/home/user" });
    const { exitCode } = await terminal.waitForExit();
    const { output } = await terminal.currentOutput();
    const text = `exit code ${exitCode}\n${output}`;
    return { text, shown: [{ type: "content", content: { type: "text", text: output } }] };
  },
};

/** By their names. */
export const tools: Readonly<Record<string, Tool>> = { read_file: read, write_file: write, run };

function declare(name: string, description: string, fields: Args): Tool["declaration"] {
  const properties = Object.fromEntries(
    Object.entries(fields).map(([field, what]) => [field, { type: "string", description: what }]),
  );
  return { name, description, parameters: { type: "object", properties, required: Object.keys(fields) } };
}
