/** What an agent's requests come to when they go wrong. */
import type { RequestPermissionRequest } from "@agentclientprotocol/sdk";
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { decide } from "../../src/acp/permissions.ts";
import { Terminals } from "../../src/acp/terminals.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";

const nobody = async () => ({ outcome: { outcome: "selected", optionId: "asked" } }) as const;

const request: RequestPermissionRequest = {
  sessionId: "s",
  toolCall: { toolCallId: "t" },
  options: [
    { optionId: "always", name: "Always", kind: "allow_always" },
    { optionId: "no", name: "No", kind: "reject_once" },
  ],
};

test("a policy that doesn't decide in time refuses, and so does an agent that offers no way to say it", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const late = decide(() => new Promise<"allow">(() => undefined), request, nobody);
  await vi.advanceTimersByTimeAsync(limits.agentPermissionMs);
  expect(await late).toEqual({ outcome: { outcome: "selected", optionId: "no" } });
  expect(await decide("allow_all", request, nobody)).toEqual({
    outcome: { outcome: "selected", optionId: "always" },
  });
  expect(await decide("reject_all", { ...request, options: request.options.slice(0, 1) }, nobody)).toEqual({
    outcome: { outcome: "cancelled" },
  });
  expect(await decide("ask", request, nobody)).toEqual(await nobody());
});

test("terminals: output at the end, killed on demand, cut from the front, limited in number", async () => {
  const driver = new EmbeddedDriver();
  const sandbox = await driver.boot({ signal: new AbortController().signal });
  onTestFinished(() => sandbox.shutdown());
  const terminals = new Terminals({ sandbox: async () => sandbox });
  const sessionId = "s";
  const quoted = terminals.create({ sessionId, command: "echo", args: ["it's", "$HOME"] });
  expect(terminals.output(quoted)).toEqual({ output: "", truncated: false });
  expect(await terminals.waitForExit(quoted)).toEqual({ exitCode: 0, signal: null });
  expect(terminals.output(quoted)).toMatchObject({ output: "it's $HOME\n", exitStatus: { exitCode: 0 } });
  const cut = terminals.create({ sessionId, command: "echo aéé", outputByteLimit: 4 });
  await terminals.waitForExit(cut);
  expect(terminals.output(cut)).toMatchObject({ output: "é\n", truncated: true });
  const loop = terminals.create({ sessionId, command: "while true; do :; done" });
  await new Promise((resolve) => void setImmediate(resolve));
  terminals.kill(loop);
  expect(await terminals.waitForExit(loop)).toEqual({ exitCode: null, signal: "SIGTERM" });
  terminals.release(loop);
  expect(() => terminals.output(loop)).toThrow("there is no terminal");
  for (let n = 2; n < limits.agentTerminals; n += 1) terminals.create({ sessionId, command: "true" });
  expect(() => terminals.create({ sessionId, command: "true" })).toThrow(
    `${limits.agentTerminals} terminals`,
  );
  terminals.close();
});
