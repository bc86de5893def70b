/** What the kits of sandboxes are given: a driver, and whether it can run here. */
import { afterAll, onTestFinished, type TestContext, test } from "vitest";
import type { BootOptions, Sandbox, SandboxDriver } from "../../packages/agent-os/src/index.ts";

/** A driver under test. */
export interface DriverUnderTest {
  readonly name: string;
  readonly make: () => SandboxDriver;
  /** Why it can't run here. */
  readonly missing?: string | undefined;
}

/** A sandbox for one story. */
export async function boot(
  { make, missing }: DriverUnderTest,
  context: TestContext,
  options: Omit<BootOptions, "signal"> = {},
): Promise<Sandbox> {
  if (missing !== undefined) context.skip(missing);
  const sandbox = await make().boot({ signal: new AbortController().signal, ...options });
  onTestFinished(() => sandbox.shutdown().catch(() => undefined));
  return sandbox;
}

/** Registers stories that are told of one sandbox, which is cleared behind each. */
export function storyteller(driver: DriverUnderTest, about: string) {
  let shared: Promise<Sandbox> | undefined;
  afterAll(async () => (await shared?.catch(() => undefined))?.shutdown());
  return (title: string, tell: (sandbox: Sandbox) => Promise<void>) =>
    test(`${driver.name} ${about}: ${title}`, { timeout: 120_000 }, async (context) => {
      if (driver.missing !== undefined) context.skip(driver.missing);
      shared ??= driver.make().boot({ signal: new AbortController().signal });
      const sandbox = await shared;
      await tell(sandbox);
      // By their names: a pattern of a shell may leave out links that lead nowhere.
      for (const { name } of await sandbox.readdir("/home/user"))
        await sandbox.remove(`/home/user/${name}`, { recursive: true });
      await sandbox.exec("rm -rf /tmp/*; mkdir -p /tmp");
    });
}

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (content: Uint8Array) => new TextDecoder().decode(content);
