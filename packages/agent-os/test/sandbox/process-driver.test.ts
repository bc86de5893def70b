/** Sandboxes of real processes: the kits of all drivers, and containers that are there before somebody asks. */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { Egress } from "@troupe/runtime/egress";
import { expect, onTestFinished, test } from "vitest";
import { deviceKit } from "../../../../conformance/sandbox/device-kit.ts";
import { escapeKit } from "../../../../conformance/sandbox/escape-kit.ts";
import { fileKit } from "../../../../conformance/sandbox/file-kit.ts";
import { processKit } from "../../../../conformance/sandbox/process-kit.ts";
import { shellKit } from "../../../../conformance/sandbox/shell-kit.ts";
import { statusKit } from "../../../../conformance/sandbox/status-kit.ts";
import { toolKit } from "../../../../conformance/sandbox/tool-kit.ts";
import { missing, processDriver, processes } from "../support/bubblewrap.ts";

deviceKit(processes);
fileKit(processes);
shellKit(processes);
statusKit(processes);
toolKit(processes);
processKit(processes);
escapeKit(processes);

test("kept warm: a sandbox takes the container that is there, with its own network and variables, and the next one is started", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const started: ChildProcess[] = [];
  const seen = (message: unknown) => void started.push((message as { process: ChildProcess }).process);
  subscribe("child_process", seen);
  onTestFinished(() => void unsubscribe("child_process", seen));
  const driver = processDriver();
  const cool = driver.keepWarm();
  expect(started).toHaveLength(1);
  const network = new Egress({ credentials: { KEY: { value: "s3cret", hosts: ["example.com"] } } });
  const sandbox = await driver.boot({ signal: new AbortController().signal, network });
  expect((await sandbox.exec("echo $KEY $http_proxy")).stdout).toMatch(/^troupe-credential-\w+ http:\S+\n$/);
  expect(started).toHaveLength(2);
  const [, next] = started;
  // One that was ended meanwhile is nobody's loss.
  const ended = once(next ?? process, "exit");
  next?.kill("SIGKILL");
  await ended;
  const other = await driver.boot({ signal: new AbortController().signal });
  expect((await other.exec("echo fine $KEY")).stdout).toBe("fine\n");
  await Promise.all([sandbox.shutdown(), other.shutdown(), cool()]);
  const left = started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  expect(left).toEqual([]);
});
