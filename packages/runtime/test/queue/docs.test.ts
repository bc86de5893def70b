/** docs/queues.md: its program runs, and answers what the page says. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AnyActorDefinition } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const page = readFileSync(new URL("../../../../docs/queues.md", import.meta.url), "utf8");
const [program = "", use = ""] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

test("the page's mailer sends and checks mails", async () => {
  const file = new URL(
    `./docs-${process.pid}-${process.env["TROUPE_TEST_CARRIED"] ?? "0"}.ts`,
    import.meta.url,
  );
  writeFileSync(file, program.replace('"troupe"', '"@troupe/runtime"'));
  try {
    const { mailer }: { mailer: AnyActorDefinition } = await import(file.href);
    await using driver = await Driver.start({ mailer });
    const client = driver.client();
    const checked = await new Function("client", `return (async () => {${use}; return checked; })()`)(client);
    expect(checked).toEqual({ status: "completed", response: false });
    await driver.act("mailer?key=a", "later", "b@example.com");
    await driver.world.idle();
    expect((await driver.act("mailer?key=a", "sent")).output).toBe(2);
  } finally {
    rmSync(file);
  }
});
