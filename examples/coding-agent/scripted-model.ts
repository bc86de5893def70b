/** A model that needs no network: whatever it is asked, it writes a small program, runs it, and says what came of it. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

interface Step {
  readonly say: string;
  readonly call?: { readonly name: string; readonly args: Readonly<Record<string, string>> };
}

const program = `# Prints the primes up to a number.
for n in $(seq 2 "$1"); do
  prime=yes
  for d in $(seq 2 $((n / 2))); do
    if [ $((n % d)) -eq 0 ]; then prime=no; break; fi
  done
  if [ $prime = yes ]; then echo "$n"; fi
done
`;

const steps: readonly Step[] = [
  {
    say: "I have no model behind me, so whatever you ask, I write a small program that prints primes. ",
    call: { name: "write_file", args: { path: "/home/user/primes/primes.sh", content: program } },
  },
  {
    say: "That is written. Now I run it and keep what it prints.",
    call: { name: "run", args: { command: "cd primes && sh primes.sh 30 | tee primes.txt" } },
  },
];

/** Serves it on a free port of this machine; resolves to its `MODEL_URL`. */
export async function serveScriptedModel(): Promise<string> {
  const server = createServer((request, response) => {
    json(request).then(
      (asked) => answer(asked as Asked, response),
      () => response.destroy(),
    );
  });
  // It ends with the program that asks it.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer({ messages }: Asked, response: ServerResponse): void {
  const results = messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1);
  const done = results.filter(({ role }) => role === "tool");
  const failed = done.some(({ content }) => content.startsWith("It failed"));
  const step = (failed ? undefined : steps[done.length]) ?? { say: last(done.at(-1)?.content ?? "") };
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (delta: object) => response.write(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`);
  for (const word of step.say.split(/(?<=\s)/)) say({ content: word });
  if (step.call !== undefined) {
    const { name, args } = step.call;
    const made = { name, arguments: JSON.stringify(args) };
    say({ tool_calls: [{ index: 0, id: `call-${messages.length}`, function: made }] });
  }
  response.end("data: [DONE]\n\n");
}

function last(result: string): string {
  const primes = result.match(/\d+/g) ?? [];
  if (primes.length < 3) return "That was not to be. Tell me when I may try again.";
  return `Done: ${primes.length - 1} primes up to 30, the largest is ${primes.at(-1)}. They are in primes/primes.txt.`;
}
