/** A program's own actions, events and hooks, beside those that every workspace has. */
import { agentOS, type CronEvent } from "@troupe/agent-os";
import { UserError } from "@troupe/base";
import { event, setup, setupTest } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { Ground } from "../../runtime/test/sql/ground.ts";
import { scripted } from "./support/agents.ts";
import { rejection } from "./support/errors.ts";

test("own actions and events see the workspace, and stand beside its own", async (t) => {
  const workspace = agentOS({
    events: { counted: event<number>() },
    actions: {
      count: async (c, word: string) => {
        const { stdout } = await c.vars.sandbox.exec(`echo ${word} | wc -c`);
        c.broadcast("counted", Number(stdout));
        return Number(stdout);
      },
    },
  });
  const { client } = await setupTest(t, setup({ use: { workspace } }));
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const counted: number[] = [];
  conn.on("counted", (count) => void counted.push(count));
  expect(await conn.count("four")).toBe(5);
  expect((await conn.exec("echo on")).stdout).toBe("on\n");
  expect(counted).toEqual([5]);
});

test("a name that every workspace has is refused, and so is a hook that is none", () => {
  const codeOf = (make: () => unknown) => {
    try {
      return make();
    } catch (error) {
      return `${(error as { code: string }).code}: ${(error as Error).message}`;
    }
  };
  const free = "is a name of its own: take another";
  expect(codeOf(() => agentOS({ actions: { exec: () => 1 } }))).toBe(
    `reserved_name: agentOS: actions.exec ${free}`,
  );
  expect(codeOf(() => agentOS({ events: { cronEvent: event<CronEvent>() } }))).toBe(
    `reserved_name: agentOS: events.cronEvent ${free}`,
  );
  expect(codeOf(() => agentOS({ onVmStart: 1 as never }))).toContain('"onVmStart" must be a function');
});

test("hooks run behind what they are about; one that throws is logged and harms nobody", async () => {
  const heard: string[] = [];
  const workspace = agentOS({
    agents: { scripted },
    limits: { processes: 1 },
    onBeforeConnect: (_c, params) => {
      if (params === "stranger") throw new UserError("Not you", { code: "stranger" });
    },
    onVmStart: (c) => void heard.push(`start ${c.key}`),
    onVmStop: () => void heard.push("stop"),
    onSessionEvent: async (c, sessionId, { sessionUpdate }) => {
      await c.kv.put("last", sessionUpdate);
      heard.push(`${sessionId} ${sessionUpdate}`);
    },
    onLimitWarning: (_c, { limit }) => {
      heard.push(limit);
      throw new Error("a hook's own fault");
    },
  });
  await using ground = await Ground.start({ workspace });
  const handle = ground.client.workspace.getOrCreate(["a"]);
  await handle.waitProcess((await handle.spawn("true")).pid);
  await handle.openSession();
  await handle.prompt({ content: "hello" });
  await vi.waitFor(() => expect(heard).toContain("main user_message_chunk"), 10_000);
  expect(heard.slice(0, 2)).toEqual(["processes", "start a"]);
  const stranger = ground.client.workspace.getOrCreate(["a"], { params: "stranger" });
  expect(await rejection(stranger.exec("true"))).toMatch(/stranger$/);
  await ground.restart();
  expect(heard).toContain("stop");
}, 60_000);
