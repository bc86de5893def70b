/** Mounts: the kit on both drivers, and what a program may say of them. */
import { agentOS } from "@troupe/agent-os";
import { expect, test } from "vitest";
import { mountKit } from "../../../../conformance/sandbox/mount-kit.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { processes } from "../support/bubblewrap.ts";

mountKit({ name: "embedded", make: () => new EmbeddedDriver() });
mountKit(processes);

test("what is no mount is refused by name", () => {
  const mounts = (...list: object[]) => {
    return () => agentOS({ mounts: list as { path: string; mode: "memory" }[] });
  };
  for (const path of ["data", "/", "/usr", "/usr/x", "/etc", "/proc/1", "/a/../b", "/a//b", "/a/", 5])
    expect(mounts({ path, mode: "memory" })).toThrow('"mounts" must be');
  expect(mounts({ path: "/data" })).toThrow('"mounts" must be');
  expect(mounts({ path: "/data", hostPath: "relative" })).toThrow('"mounts" must be');
  expect(mounts({ path: "/data", hostPath: "/srv", mode: "write" })).toThrow('"mounts" must be');
  expect(mounts({ path: "/data", mode: "memory" }, { path: "/data/in", mode: "memory" })).toThrow(
    "in another",
  );
  expect(mounts({ path: "/data", mode: "memory" }, { path: "/database", mode: "memory" })).not.toThrow();
});
