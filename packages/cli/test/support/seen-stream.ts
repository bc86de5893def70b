/** A stream behind a stream intercept: what a provider sends, and what its client gets of it. */
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import { post, start } from "./gateway-calls.ts";
import { ScriptedProvider } from "./provider.ts";

/** Gives on each chunk, in capitals where `changes`. */
const around = (changes: boolean) => (relay: Relay) =>
  void relay.registerLlmStreamExecutionIntercept("around", async function* ({ request }, { next }) {
    for await (const chunk of await next(request))
      yield changes ? JSON.parse(JSON.stringify(chunk).replace("good", "GOOD")) : chunk;
  });

/** What a provider sends. */
export interface Sent {
  /** One write each; the next waits for the one before. */
  readonly parts: readonly (string | Buffer)[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** What a client gets, that asks for a stream or not. */
export async function got(
  { parts, headers, status = 200 }: Sent,
  changes = false,
  { path = "/v1/chat/completions", body = '{"stream":true}' } = {},
) {
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(status, { "content-type": "text/event-stream", ...headers });
    const write = ([part, ...rest]: Sent["parts"]): unknown =>
      part === undefined ? response.end() : response.write(part, () => write(rest));
    write(parts);
  });
  const gateway = await start(provider, { listen: around(changes) });
  const answer = await post(gateway.url + path, body);
  let said = "";
  answer.setEncoding("utf8").on("data", (more: string) => (said += more));
  const isWhole = await text(answer).then(
    () => true,
    () => false,
  );
  await gateway[Symbol.asyncDispose]();
  return { status: answer.statusCode, said, isWhole };
}
