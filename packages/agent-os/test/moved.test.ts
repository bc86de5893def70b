/** Names of agentOS that are something else here. */
import {
  agentOS,
  agentOs,
  createInMemoryFileSystem,
  hostDirMount,
  hostTool,
  nodeModulesMount,
  toolKit,
} from "@troupe/agent-os";
import { expect, test } from "vitest";

test.each([
  [{ agentOs }, "agentOS"],
  [{ createInMemoryFileSystem }, "memory"],
  [{ hostDirMount }, "hostPath"],
  [{ nodeModulesMount }, "hostPath"],
  [{ toolKit }, "tools"],
  [{ hostTool }, "tools"],
])("%o says what to use instead", (named, use) => {
  const [[name, call] = []] = Object.entries(named);
  expect(() => call?.({ options: {} })).toThrow(
    expect.objectContaining({
      group: "package",
      code: "moved",
      metadata: { name, use: expect.stringContaining(use) },
    }),
  );
});

test("who brings agentOS's `options` is told where they stand", () => {
  const brought: object = { options: { agents: {} } };
  expect(() => agentOS(brought)).toThrow("what stood in it stands at the top");
});
