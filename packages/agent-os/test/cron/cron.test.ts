/** Cron jobs of a workspace: on the actor's own schedules, over sleeps, told as they go. */
import { agentOS, type CronEvent, type CronJobOptions } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest } from "@troupe/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { scripted } from "../support/agents.ts";
import { rejection } from "../support/errors.ts";

const soon = () => new Date(Date.now() - 1).toISOString();

test("a command runs at its time, once or again and again; each run is told, and its output is a process's", async () => {
  await using ground = await Ground.start({ workspace: agentOS() });
  const conn = ground.client.workspace.getOrCreate(["a"]).connect();
  const told: CronEvent[] = [];
  conn.on("cronEvent", (event) => void told.push(event));
  await conn.ready;
  const action = { type: "exec", command: "echo ran >> log; exit 3" } as const;
  expect(await conn.scheduleCron({ id: "once", schedule: soon(), action })).toEqual({ id: "once" });
  await vi.waitFor(() => expect(told).toHaveLength(2), 20_000);
  expect(told).toMatchObject([
    { type: "cron:fire", jobId: "once" },
    { type: "cron:complete", jobId: "once", exitCode: 3 },
  ]);
  expect(told[0]?.time).toBeInstanceOf(Date);
  expect(new TextDecoder().decode(await conn.readFile("/home/user/log"))).toBe("ran\n");
  await conn.scheduleCron({ id: "often", schedule: "* * * * * *", action: { ...action, args: [] } });
  await vi.waitFor(() => expect(told.filter(({ jobId }) => jobId === "often")).toHaveLength(2), 20_000);
  await conn.cancelCronJob("often");
  expect(await conn.listCronJobs()).toEqual([]);
}, 60_000);

test("jobs outlive the process; one of the same id takes the other's place; a cancelled one is gone", async () => {
  await using ground = await Ground.start({ workspace: agentOS() });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  const action = { type: "exec", command: "ls", args: ["-l"] } as const;
  const at = "2100-01-01T00:00:00.000Z";
  await handle().scheduleCron({ id: "job", schedule: at, action });
  await handle().scheduleCron({
    id: "job",
    schedule: "0 9 * * *",
    action,
    overlap: "skip",
    timezone: "Europe/Berlin",
  });
  const { id } = await handle().scheduleCron({ schedule: at, action });
  await ground.restart();
  const jobs = await handle().listCronJobs();
  expect(jobs).toMatchObject([
    { id: "job", schedule: "0 9 * * *", action, overlap: "skip" },
    { id, schedule: at, action, overlap: "allow", nextRun: new Date(at) },
  ]);
  await handle().cancelCronJob(id);
  expect(await rejection(handle().cancelCronJob(id))).toBe("cron.not_found");
  expect(await handle().listCronJobs()).toHaveLength(1);
}, 60_000);

test("a prompt at its time goes to an agent's session; what it failed with is told", async () => {
  await using ground = await Ground.start({ workspace: agentOS({ agents: { scripted, other: scripted } }) });
  const conn = ground.client.workspace.getOrCreate(["a"]).connect();
  const told: CronEvent[] = [];
  conn.on("cronEvent", (event) => void told.push(event));
  await conn.ready;
  const ends = async (count: number) => {
    await vi.waitFor(() => expect(told).toHaveLength(count), 20_000);
    return told.at(-1);
  };
  await conn.scheduleCron({ id: "hi", schedule: soon(), action: { type: "session", prompt: "hello" } });
  expect(await ends(2)).toMatchObject({ type: "cron:complete", jobId: "hi" });
  const { events } = await conn.readHistory({ sessionId: "cron-hi" });
  expect(JSON.stringify(events[0])).toContain("hello");
  const options = { sessionId: "cron-hi" };
  const action = { type: "session", prompt: "hello", agentType: "other", options } as const;
  await conn.scheduleCron({ id: "bad", schedule: soon(), action });
  expect(await ends(4)).toMatchObject({
    type: "cron:error",
    error: expect.stringMatching(/^session\.other_agent: /),
  });
}, 60_000);

test("a time without a zone is UTC, wherever the host is; one with a zone is what it says", async (t) => {
  vi.stubEnv("TZ", "Asia/Tokyo");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS() } }));
  const handle = client.workspace.getOrCreate(["a"]);
  const action = { type: "exec", command: "true" } as const;
  for (const schedule of ["2100-01-01T03:00:00", "2100-01-01T04:00:00Z", "2100-01-01T04:00:00-01:00"])
    await handle.scheduleCron({ schedule, action });
  const times = (await handle.listCronJobs()).map(({ nextRun }) => nextRun.toISOString().slice(0, 16));
  expect(times).toEqual(["2100-01-01T03:00", "2100-01-01T04:00", "2100-01-01T05:00"]);
});

test("what isn't a job is refused, and no client runs one by itself", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS({ agents: { scripted } }) } }));
  const handle = client.workspace.getOrCreate(["a"]);
  const schedule = "* * * * *";
  const action = { type: "exec", command: "true" };
  const wrong: unknown[] = [
    null,
    { schedule: 5, action },
    { schedule: "2026-13-01T00:00:00Z", action },
    { schedule, action: { type: "exec" } },
    { schedule, action: { type: "exec", command: "ls", args: [1] } },
    { schedule, action: { type: "session" } },
    { schedule, action: { type: "callback" } },
    { schedule, action: { type: "session", prompt: "x", options: 5 } },
    { schedule, action: { type: "session", prompt: "x", options: { sesionId: "x" } } },
    { schedule, action: { type: "session", prompt: "x", options: { cwd: "src" } } },
    { schedule: "2100-01-01T00:00:00", timezone: "Europe/Berlin", action },
    { schedule, action, overlap: "never" },
    { schedule, action, id: "x".repeat(limits.cronJobIdLength + 1) },
  ];
  for (const options of wrong)
    expect(await rejection(handle.scheduleCron(options as CronJobOptions))).toBe("cron.invalid");
  const session = { type: "session", prompt: "x" } as const;
  const nobodys = { schedule, action: { ...session, agentType: "nobody" } };
  expect(await rejection(handle.scheduleCron(nobodys))).toBe("agent.unknown");
  const unknown: unknown[] = [
    { schedule: "* * * * *", action, timeZone: "Europe/Berlin" },
    { schedule: "* * * * *", action: { ...action, cwd: "/" } },
    { schedule: "* * * * *", action: { type: "session", prompt: "x", agent: "coder" } },
  ];
  for (const options of unknown)
    expect(await rejection(handle.scheduleCron(options as CronJobOptions))).toMatch(
      /unknown_option|agent\.unknown/,
    );
  for (const command of ["a\0b", "a"])
    expect(
      await rejection(
        handle.scheduleCron({ schedule: "* * * * *", action: { type: "exec", command, args: ["\0"] } }),
      ),
    ).toBe("cron.invalid");
  const nameless = { schedule, action: { ...session, options: { sessionId: "vm" } } };
  expect(await rejection(handle.scheduleCron(nameless))).toBe("session.invalid_id");
  await expect(
    handle.scheduleCron({ schedule: "every day", action } as CronJobOptions),
  ).rejects.toMatchObject({
    group: "schedule",
  });
  const job = { id: "x", schedule, overlap: "allow", action: { type: "exec", command: "true" } } as const;
  expect(await rejection(handle.runCronJob(job))).toBe("auth.forbidden");
});
