/** Questions that people answer: asked of whoever follows the session, answered once, refused when nobody does. */
import { type AgentOSConfig, agentOS, type PermissionQuestion } from "@troupe/agent-os";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { scripted } from "../support/agents.ts";
import { rejection } from "../support/errors.ts";

async function workspace(t: TestScope, config: AgentOSConfig = {}) {
  const use = { workspace: agentOS({ agents: { scripted }, permissions: "ask", ...config }) };
  const { client } = await setupTest(t, setup({ use }));
  const handle = client.workspace.getOrCreate(["a"]);
  const conn = handle.connect();
  await conn.openSession({});
  const questions: PermissionQuestion[] = [];
  const waiting: ((question: PermissionQuestion) => void)[] = [];
  conn.on("permissionRequest", (question) => {
    const next = waiting.shift();
    if (next === undefined) questions.push(question);
    else next(question);
  });
  const asked = async () =>
    questions.shift() ?? (await new Promise<PermissionQuestion>((r) => waiting.push(r)));
  return { handle, conn, asked };
}

type Handle = Awaited<ReturnType<typeof workspace>>["handle"];

/** What the agent and Troupe said behind a prompt, in order. */
async function story(handle: Handle): Promise<unknown[]> {
  const { events } = await handle.getSessionEvents({ sessionId: "main" });
  return events.flatMap(({ event }) => {
    if (!("sessionUpdate" in event)) return [];
    if (event.sessionUpdate === "agent_message_chunk" && event.content.type === "text")
      return [event.content.text];
    if (event.sessionUpdate === "_permission_response")
      return [event.outcome === "selected" ? event.optionId : event.reason];
    return event.sessionUpdate === "_permission_request" ? ["asked"] : [];
  });
}

test("a listener answers, once; the question and the answer are in the transcript, and the session says that it waits", async (t) => {
  const { handle, conn, asked } = await workspace(t);
  const prompt = conn.prompt({ content: "ask" });
  const { requestId, options, toolCall } = await asked();
  expect([toolCall.title, options.map(({ optionId }) => optionId)]).toEqual([
    "something dangerous",
    ["yes", "no"],
  ]);
  expect(await handle.getSession()).toMatchObject({ state: "waiting", pendingPermissions: [{ requestId }] });
  expect(await rejection(handle.respondPermission({ requestId, optionId: "maybe" }))).toBe("session.invalid");
  const answers = ["yes", "no"].map((optionId) => conn.respondPermission({ requestId, optionId }));
  expect(await Promise.all(answers)).toEqual(["accepted", "not_pending"]);
  await prompt;
  expect(await story(handle)).toEqual(["asked", "yes", "yes"]);
  expect(await handle.getSession()).toMatchObject({ state: "idle", pendingPermissions: [] });
});

test("a question that nobody answers in time is refused, and so is one that a cancel overtakes", async (t) => {
  const { handle, conn, asked } = await workspace(t, { permissionTimeoutMs: 20 });
  await conn.prompt({ content: "ask" });
  expect(await story(handle)).toEqual(["asked", "timed_out", "cancelled"]);
  const { requestId } = await asked();
  expect(await handle.respondPermission({ requestId, optionId: "yes" })).toBe("not_pending");
  const patient = await workspace(t);
  const prompt = patient.conn.prompt({ content: "ask" });
  await patient.asked();
  expect(await patient.handle.cancelPrompt()).toBe("cancelled");
  await prompt;
  expect(await story(patient.handle)).toEqual(["asked", "cancelled", "cancelled"]);
});

test("an agent that ends while it waits for an answer takes its question with it", async (t) => {
  const { handle, conn, asked } = await workspace(t);
  const prompt = rejection(conn.prompt({ content: "ask" }));
  const { requestId } = await asked();
  await handle.unloadSession();
  expect(await prompt).toBe("session.closed");
  expect(await handle.respondPermission({ requestId, optionId: "yes" })).toBe("not_pending");
  expect(await story(handle)).toEqual(["asked", "session_ended"]);
});

test("a session may refuse more than its actor, never less", async (t) => {
  const { handle } = await workspace(t);
  const open = (sessionId: string, permissionPolicy: "ask" | "reject_all" | "allow_all") =>
    handle.openSession({ sessionId, permissionPolicy });
  expect(await rejection(open("wide", "allow_all"))).toBe("session.policy_too_wide");
  await open("narrow", "reject_all");
  await handle.prompt({ sessionId: "narrow", content: "ask" });
  const { events } = await handle.getSessionEvents({ sessionId: "narrow" });
  expect(events.map(({ event }) => event)).toMatchObject([
    { sessionUpdate: "user_message_chunk" },
    { sessionUpdate: "agent_message_chunk", content: { text: "no" } },
  ]);
  const wrong = { name: "openSession", args: [{ sessionId: "x", permissionPolicy: "maybe" }] };
  expect(await rejection(handle.action(wrong))).toBe("session.invalid");
  const judged = await workspace(t, { permissions: () => "allow" });
  expect(await rejection(judged.handle.openSession({ sessionId: "b", permissionPolicy: "allow_all" }))).toBe(
    "session.policy_too_wide",
  );
});

test("what isn't a policy or a time is refused when the actor is defined", () => {
  const wrong = { permissions: "sometimes" } as unknown;
  expect(() => agentOS(wrong as AgentOSConfig)).toThrow('"permissions" must be');
  expect(() => agentOS({ permissionTimeoutMs: 0 })).toThrow('"permissionTimeoutMs" must be');
});
