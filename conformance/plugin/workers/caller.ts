/** The kit's actor in TypeScript that calls tools and models, for a module, an isolate and a worker. */
import type { CallContext, LlmRequest } from "@troupe/relay";
import { actor, TroupeError, UserError } from "troupe";

/** What the model is to do. */
interface Asked {
  readonly chunks: number;
  readonly fails?: boolean;
}

/** What the actor counts. */
interface Counts {
  ran: number;
  made: number;
  ended: number;
  told: number;
}

/** A stream that an action has left. */
interface Left {
  stream?: AsyncIterator<unknown>;
}

async function* chunksOf(counts: Counts, { content }: LlmRequest, { signal, scope }: CallContext) {
  const { chunks, fails } = content as Asked;
  try {
    for (let one = 0; one < chunks; one += 1) {
      counts.made += 1;
      yield { one, within: scope.uuid };
    }
    if (fails) throw new UserError("the model is dull", { code: "dull" });
  } finally {
    counts.ended += 1;
    if (signal.aborted) counts.told += 1;
  }
}

function named(error: unknown): string {
  return TroupeError.is(error) ? `${error.group}.${error.code}` : String(error);
}

const caller = actor({
  state: { ran: 0, made: 0, ended: 0, told: 0 } as Counts,
  createVars: (): Left => ({}),
  actions: {
    counts: (c): Counts => ({ ...c.state }),
    tool: (c, name: string, args: unknown) =>
      c.tool(
        name,
        args,
        (given, { scope }) => {
          c.state.ran += 1;
          return { given, within: scope.uuid, below: c.scope.uuid };
        },
        { toolCallId: "call_1", metadata: { a: "b" } },
      ),
    fails: (c) =>
      c.tool("fails", 1, () => {
        throw new UserError("the tool is dull", { code: "dull" });
      }),
    nested: (c) =>
      c.tool("outer", 1, (one, { scope }) => c.tool("inner", one, (two) => two, { parent: scope })),
    model: (c, request: LlmRequest) =>
      c.llm("openai", request, ({ headers, content }) => ({ headers, content }), { modelName: "m-1" }),
    givenUp: async (c) => {
      const abort = new AbortController();
      const told = Promise.withResolvers<string>();
      const call = c.tool(
        "slow",
        1,
        (_, { signal }) => {
          signal.addEventListener("abort", () => told.resolve("told"));
          abort.abort();
          return told.promise;
        },
        { signal: abort.signal },
      );
      return [await call.catch(named), await told.promise];
    },
    late: (c) =>
      c.tool(
        "late",
        1,
        () => {
          c.state.ran += 1;
        },
        { signal: AbortSignal.abort() },
      ),
    stream: async (c, content: Asked, most: number) => {
      const got: unknown[] = [];
      const request = { headers: {}, content };
      const stream = await c.llmStream("openai", request, (given, context) =>
        chunksOf(c.state, given, context),
      );
      if (most === 0) await stream.close();
      else for await (const chunk of stream) if (got.push(chunk) === most) break;
      return got;
    },
    noStream: (c) => c.llmStream("openai", { headers: {}, content: 1 }, () => 1 as never),
    /** The chunks are its items. */
    async *items(c, content: Asked) {
      const request = { headers: {}, content };
      yield* await c.llmStream("openai", request, (given, context) => chunksOf(c.state, given, context));
    },
    streamGivenUp: async (c) => {
      const abort = new AbortController();
      const request = { headers: {}, content: { chunks: 9 } };
      const model = (given: LlmRequest, context: CallContext) => chunksOf(c.state, given, context);
      const stream = await c.llmStream("slow", request, model, { signal: abort.signal });
      await stream.next();
      abort.abort();
      return [await stream.next().catch(named), (await stream.next()).done];
    },
    leave: async (c) => {
      const request = { headers: {}, content: { chunks: 9 } };
      const stream = await c.llmStream("left", request, (given, context) =>
        chunksOf(c.state, given, context),
      );
      await stream.next();
      c.vars.stream = stream;
    },
    goOn: async (c) => [await c.vars.stream?.next().catch(named), (await c.vars.stream?.next())?.done],
    many: async (c, most: number) => {
      const request = { headers: {}, content: { chunks: 9 } };
      const open: { close(): Promise<void> }[] = [];
      const one = async () =>
        open.push(await c.llmStream("many", request, (given, context) => chunksOf(c.state, given, context)));
      while (open.length < most) await one();
      const refused = await one().catch(named);
      await open[0]?.close();
      return [refused, await one()];
    },
  },
});

export default caller;
