/** The kit's third plugin in TypeScript: it asks its host. `toolName` says for what. */

import type { HostHandle, HostScope, WorkerPlugin } from "../../../packages/plugins/src/worker.ts";
import { serveWorker } from "../../../packages/plugins/src/worker.ts";
import { ScopeType } from "../../../packages/relay/src/index.ts";

let wholly: HostHandle | undefined;
let left: HostScope | undefined;

const questions: Readonly<Record<string, (host: HostHandle, args: never) => unknown>> = {
  mark: (host) => host.mark("seen", { data: { n: 1 }, severity: "warn", metadata: { a: "b" } }),
  metric: async (host, value: number) =>
    await host.metric("size", [{ name: "bytes", kind: "gauge", valueType: "u64", value }]),
  scope: async (host) => {
    const scope = await host.pushScope("inner", ScopeType.Function, { input: "in", metadata: { a: 1 } });
    await host.mark("within", { scope });
    await host.popScope(scope, { output: "out" });
    return scope.propagation;
  },
  failed: async (host) => {
    const scope = await host.pushScope("failed", ScopeType.Function);
    await host.popScope(scope, { error: new RangeError("too far") });
  },
  leave: async (host) => {
    left = await host.pushScope("left", ScopeType.Function);
  },
  popLeft: async (host) => {
    if (left !== undefined) await host.popScope(left);
  },
  fork: async (host) => {
    const scope = await host.pushScope("outer", ScopeType.Function);
    const fork = await host.forkScope(scope);
    const alone = await host.forkScope();
    await host.mark("beside", { scope: fork });
    await host.mark("alone", { scope: alone });
    await host.dropScope(fork);
    await host.dropScope(alone);
    await host.popScope(scope);
    return { of: scope.propagation, fork: fork.propagation, alone: alone.propagation ?? null };
  },
  foreign: (host, id: string) => host.popScope({ id, propagation: undefined }),
  under: (host, id: string) => host.mark("under", { scope: { id, propagation: undefined } }),
  flood: async (host) => {
    for (;;) await host.pushScope("one more", ScopeType.Function);
  },
  codec: async (host, request: { readonly headers: Record<string, string>; readonly content: object }) => {
    const annotated = await host.decodeRequest(request);
    return await host.encodeRequest({ ...annotated, model: "other" }, request);
  },
  unreadable: (host) => host.decodeResponse("odd", "openai_chat"),
  registrations: (host) => host.listRegistrations(["subscriber"]),
  diagnostics: (host) => host.diagnostics(),
  closeGate: (host, name: string) =>
    host.closeGate("g", { kinds: ["tool_request_intercept"], name }, "not now"),
  openGate: (host) => host.openGate("g"),
  log: (host) => host.log("warn", "a word"),
  wholly: async () => await wholly?.mark("wholly"),
};

const asker: WorkerPlugin = {
  name: "asker",
  ready: (host) => {
    wholly = host;
    void host.mark("ready");
  },
  middleware: [
    {
      kind: "tool_execution_intercept",
      name: "asker",
      handle: async ({ toolName, args }, { host, scope }) => ({
        result: toolName === "scoped" ? scope : ((await questions[toolName]?.(host, args as never)) ?? null),
      }),
    },
  ],
};

export default asker;

if (import.meta.main) await serveWorker(asker);
