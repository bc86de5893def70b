/** A session as a trajectory, made of what its transcript has. */
import { agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { atifSchema } from "@troupe/relay/node";
import { setup, setupTest } from "@troupe/runtime";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { scripted } from "../support/agents.ts";
import { rejection } from "../support/errors.ts";

test("a trajectory has prompts, words and tools in their order, also of a session whose agent is gone", async (t) => {
  const workspace = agentOS({ agents: { scripted }, permissions: "allow_all" });
  const { client } = await setupTest(t, setup({ use: { workspace } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  await handle.prompt({ content: "stream 3\nrun echo hi\nfail" });
  await handle.prompt({ content: "recall" });
  await handle.unloadSession();
  const trajectory = await handle.getTrajectory();
  expect(new Ajv2020({ strict: false }).validate(atifSchema, trajectory)).toBe(true);
  expect(trajectory.agent.name).toBe("scripted");
  expect(
    trajectory.steps.map(({ source, message, tool_calls }) => [
      source,
      message,
      ...(tool_calls ?? []).map((call) => call.function_name),
    ]),
  ).toEqual([
    ["user", "stream 3\nrun echo hi\nfail"],
    ["agent", "123", "echo hi"],
    ["agent", "0: hi\n", "a failure"],
    ["user", "recall"],
    ["agent", "nothing"],
  ]);
  expect(trajectory.steps[2]?.observation?.results[0]?.extra).toEqual({ status: "failed" });
  expect(await rejection(handle.getTrajectory({ sessionId: "none" }))).toBe("session.not_found");
});

test("a session that is too long for one trajectory says so", async (t) => {
  const workspace = agentOS({ agents: { scripted } });
  const { client } = await setupTest(t, setup({ use: { workspace } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  const past = "x".repeat(limits.sessionTrajectoryBytes);
  const content = [past, "offers"].map((text) => ({ type: "text" as const, text }));
  await handle.prompt({ content });
  expect(await rejection(handle.getTrajectory())).toBe("session.trajectory_too_large");
});
