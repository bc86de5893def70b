/** Node's built-in fetch inside an actor waits for what the actor wrote; elsewhere it doesn't. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { gateFetch } from "../../src/node/fetch-gate.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, watch } from "../driver/watch.ts";
import { temporaryDirectory } from "../storage/test-env.ts";

class Recorder implements AsyncDisposable {
  readonly seen: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.seen.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      response.end("answer");
    });
  });

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function caller(base: () => string, caught: string[]) {
  return actor({
    state: { n: 0 },
    actions: {
      ping: () => 1,
      quiet: async () => await (await fetch(`${base()}/quiet`)).text(),
      tell: async (c) => {
        c.state.n += 1;
        try {
          return await (await fetch(`${base()}/told`, { method: "POST", body: "n is 1" })).text();
        } catch (error) {
          caught.push(codeOf((error as Error).cause));
          throw error;
        }
      },
    },
  });
}

test("fetch in an actor leaves when its write is durable; without a write, and outside, at once", async () => {
  await using recorder = new Recorder();
  const base = await recorder.listen();
  await using driver = await Driver.start({ caller: caller(() => base, []) });
  const ungate = gateFetch(driver.runtime.departure);
  await driver.act("caller", "ping");
  driver.syncs.hold();
  expect((await driver.act("caller", "quiet")).output).toBe("answer");
  const told = watch(driver.act("caller", "tell"));
  await driver.world.idle();
  expect(await (await fetch(`${base}/outside`)).text()).toBe("answer");
  expect(recorder.seen).toEqual(["GET /quiet ", "GET /outside "]);
  expect([driver.syncs.waiting, told.state]).toEqual([1, "pending"]);
  driver.syncs.finish();
  await driver.world.until(
    () => told.state !== "pending",
    () => recorder.seen,
  );
  expect(told.value?.output).toBe("answer");
  expect(recorder.seen.at(-1)).toBe("POST /told n is 1");
  ungate();
});

test("fetch fails when the commit does, and nothing is sent", async () => {
  await using recorder = new Recorder();
  const base = await recorder.listen();
  const caught: string[] = [];
  await using driver = await Driver.start({ caller: caller(() => base, caught) });
  const ungate = gateFetch(driver.runtime.departure);
  await driver.act("caller", "ping");
  driver.syncs.failWrites(1);
  const told = watch(driver.act("caller", "tell"));
  await driver.world.until(
    () => caught.length > 0,
    () => recorder.seen,
  );
  await driver.world.idle();
  expect([caught, told.value?.code, recorder.seen]).toEqual([
    ["storage.commit_failed"],
    "storage.commit_failed",
    [],
  ]);
  ungate();
});

test("in a process that hasn't used fetch before the gate is there all the same", () => {
  using directory = temporaryDirectory();
  const source = readFileSync(new URL("../../src/node/fetch-gate.ts", import.meta.url), "utf8");
  const gate = join(directory.path, "fetch-gate.mjs");
  const imported = 'import { assert } from "@troupe/base";';
  expect(source).toContain(imported);
  writeFileSync(gate, stripTypeScriptTypes(source).replace(imported, "const assert = () => {};"));
  const script = fileURLToPath(new URL("fetch-gate-child.mjs", import.meta.url));
  const output = execFileSync(process.execPath, [script, gate], { encoding: "utf8", timeout: 15_000 });
  expect(output.trim().split("\n")).toEqual([
    "loaded: false",
    "request /ungated",
    "durable",
    "request /gated",
    "request /free",
  ]);
});
