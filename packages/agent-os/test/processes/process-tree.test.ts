/** All processes of a sandbox: told by real ones, and as a tree whatever is told. */
import { agentOS } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { processTree } from "../../src/sandbox/process-tree.ts";
import { missing, processDriver } from "../support/bubblewrap.ts";

const told = (pid: number, ppid: number) => ({ pid, ppid, pgid: pid, sid: pid, command: "x", args: [] });

test("each process stands below the one that started it; circles and orphans do no harm", () => {
  const tree = processTree([
    told(3, 0),
    told(4, 3),
    told(5, 4),
    told(6, 3),
    told(7, 99),
    told(8, 9),
    told(9, 8),
  ]);
  expect(tree).toMatchObject([
    { pid: 3, children: [{ pid: 4, children: [{ pid: 5, children: [] }] }, { pid: 6 }] },
    { pid: 7, children: [] },
  ]);
  expect(processTree([])).toEqual([]);
});

test("a workspace tells of what its processes have started; of a sandbox that isn't there of none", async (t) => {
  if (missing !== undefined) t.skip(missing);
  const use = { workspace: agentOS({ sandbox: processDriver() }) };
  const { client } = await setupTest(t, setup({ use }));
  const handle = client.workspace.getOrCreate(["a"]);
  expect(await handle.allProcesses()).toEqual([]);
  const { pid } = await handle.spawn("sh", ["-c", "sleep 1000 & sleep 1000 & wait"]);
  const names = async () => {
    const [shell] = await handle.processTree();
    return [
      shell?.command,
      ...(shell?.children ?? []).map(({ command, args }) => [command, ...args].join(" ")),
    ];
  };
  await expect.poll(names, { timeout: 20_000 }).toEqual(["sh", "sleep 1000", "sleep 1000"]);
  await handle.killProcess(pid);
  await handle.waitProcess(pid);
  await expect.poll(() => handle.allProcesses(), { timeout: 20_000 }).toEqual([]);
}, 60_000);
