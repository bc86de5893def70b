/** What a provider says in the midst of a stream that it gives up with, in the words of each API: the trace and the summary have them. */
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { linesOf, post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { recorded } from "./support/recorded-streams.ts";

const error = { message: "Overloaded" };
const paths: readonly (readonly [path: string, said: object, words: string])[] = [
  ["/v1/messages", { type: "error", error: { type: "overloaded_error", ...error } }, "Overloaded"],
  ["/v1/messages", { type: "error", error: { type: "overloaded_error" } }, "overloaded_error"],
  ["/v1/chat/completions", { error: { code: 502, ...error }, choices: [] }, "Overloaded"],
  ["/v1/chat/completions", { error: "Overloaded" }, "Overloaded"],
  ["/v1/responses", { type: "error", code: "server_error", ...error, sequence_number: 3 }, "Overloaded"],
  [
    "/v1/responses",
    { type: "response.failed", response: { status: "failed", error: { code: "x", ...error } } },
    "Overloaded",
  ],
  [
    "/v1beta/models/m:streamGenerateContent?alt=sse",
    { error: { code: 503, status: "UNAVAILABLE" } },
    "UNAVAILABLE",
  ],
];

test.each(paths)("%s: %j in a stream is told of as %s", async (path, said, words) => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const stream = `event: x\ndata: ${JSON.stringify(said)}\n\n`;
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(stream);
  });
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  const gateway = await start(provider, { atof, listen: (relay) => summary.listen(relay) });
  const answer = await post(gateway.url + path, '{"stream":true}');
  expect(`${await buffer(answer)}`).toBe(stream);
  await gateway[Symbol.asyncDispose]();
  const end = linesOf(atof).find(({ scope_category }) => scope_category === "end");
  expect(end?.metadata["otel.status_description"]).toMatch(new RegExp(`failed at its provider: ${words}$`));
  expect(summary.text(1)).toMatch(new RegExp(`, 1 failed\n(?:.*\n)*  failed: .*: ${words}\n`));
});

test("a stream under the name of another type is read as its client reads it", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  await using provider = await ScriptedProvider.start((request, response) => {
    const [, stream] = recorded.find(([path]) => path.startsWith(`${request.url}`)) ?? [];
    response.writeHead(200, { "content-type": "application/json" }).end(stream);
  });
  const gateway = await start(provider, { atof });
  for (const [path, stream] of recorded) {
    const answer = await post(gateway.url + path, '{"stream":true}');
    expect((await buffer(answer)).equals(stream)).toBe(true);
  }
  await gateway[Symbol.asyncDispose]();
  const ends = linesOf(atof).filter(({ scope_category }) => scope_category === "end");
  expect(ends).toHaveLength(recorded.length);
  for (const { category_profile, metadata } of ends) {
    expect(metadata["otel.status_code"]).toBe("OK");
    expect(category_profile).toMatchObject({
      annotated_response: { model: "m-1", usage: { prompt_tokens: 7, completion_tokens: 2 } },
    });
  }
});
