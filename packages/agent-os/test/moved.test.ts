/** Names of agentOS that are something else here. */
import * as agentOs from "@troupe/agent-os";
import { expect, test } from "vitest";

test.each([
  ["agentOs", "agentOS"],
  ["createInMemoryFileSystem", "memory"],
  ["hostDirMount", "hostPath"],
  ["nodeModulesMount", "hostPath"],
  ["toolKit", "actions"],
  ["hostTool", "actions"],
] as const)("%s says what to use instead", (name, use) => {
  expect(() => agentOs[name]({ options: {} })).toThrow(
    expect.objectContaining({
      group: "package",
      code: "moved",
      metadata: { name, use: expect.stringContaining(use) },
    }),
  );
});
