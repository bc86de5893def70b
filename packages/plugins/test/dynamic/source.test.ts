/** Where a source is, and what it is written in: a text, a file, an address; JavaScript, or TypeScript whose types are taken away. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Timers } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { TypeStripper } from "../../src/carriers/isolate/process/type-stripper.ts";
import { textOfSource } from "../../src/dynamic/source-text.ts";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const typed = `import { actor, type ActorContext } from "troupe";
type Named = { readonly name: string };
interface State { greeted: number }
const hello = <T extends Named>({ name }: T): string => \`Hello, \${name satisfies string}\`;
export default actor({
  state: { greeted: 0 } as State,
  actions: {
    greet: (c: { state: State }, name: string): [string, number] => [hello({ name }), (c.state.greeted! += 1)],
    fail: (_c: unknown): void => { throw new Error("here" as string); },
  },
});`;

/** A server that answers so. */
async function serve(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: (path: string) => new URL(`http://127.0.0.1:${port}${path}`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("a text that is an address is refused when the actor is made, and says what to give", () => {
  for (const source of ["https://example.com/a.ts", " http://127.0.0.1:80/x\n", "file:///srv/a.js"]) {
    const wrong = {
      group: "dynamic",
      code: "bad_option",
      message: expect.stringContaining(`new URL("${source.trim()}")`),
    };
    expect(() => dynamicActor({ source, auth: () => true })).toThrow(expect.objectContaining(wrong));
  }
  expect(() =>
    dynamicActor({ source: `https://example.com/a.ts\n${typed}`, auth: () => true }),
  ).not.toThrow();
});

test("TypeScript: types are taken away, and nothing else", async () => {
  await using world = await DynamicWorld.one({ source: typed, sourceFormat: "esm-ts" });
  expect(await world.act("it", "greet", "Ann")).toEqual(["Hello, Ann", 1]);
});

const wrong: readonly (readonly [
  says: string,
  source: string,
  place?: readonly [line: number, column: number],
])[] = [
  ["Expression expected", "const a: number = 1;\nconst b: number = ;", [2, 19]],
  ["TypeScript enum is not supported", "  enum A { B }", [1, 3]],
  // Nested so deeply that its reader breaks: the next source has a new one.
  ["It can't be read as TypeScript", `let a: ${"{a:".repeat(20_000)}`],
  ["It can't be read as TypeScript", "[".repeat(1_000_000)],
];

test("TypeScript that can't be read says where, and a hostile one harms nobody else's", async () => {
  let source = "";
  const load = () => ({ source, sourceFormat: "esm-ts" as const });
  const ok = dynamicActor({ source: typed, sourceFormat: "esm-ts" });
  await using world = await DynamicWorld.start({ it: dynamicActor({ load }), ok });
  for (const [key, [says, text, place]] of wrong.entries()) {
    source = text;
    const failed = await failure(world.handle("it", `${key}`).action({ name: "x", args: [] }));
    expect(failed).toMatchObject({ is: "dynamic.syntax_error", message: expect.stringContaining(says) });
    if (place) expect(failed.metadata).toMatchObject({ line: place[0], column: place[1] });
    const greeted = world.handle("ok", `${key}`).action({ name: "greet", args: ["Bo"] });
    expect(await greeted).toEqual(["Hello, Bo", 1]);
  }
});

test("a source whose types take longer than its time is refused, and the next one isn't", async () => {
  const types = new TypeStripper();
  const order = { name: "it", source: typed, memoryLimit: 16, timeLimitMs: 60_000 };
  const none = { ...order, timeLimitMs: -limits.isolateStuckMs };
  await expect(types.strip(none)).rejects.toMatchObject({ end: { code: "time_exceeded" } });
  expect((await types.strip(order)).source).toContain("({ name }   )         =>");
});

test("a URL of a file is read at each activation; what it is written in is its name's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-source-"));
  try {
    const file = join(folder, "rules.ts");
    writeFileSync(file, typed);
    await using world = await DynamicWorld.one({ source: pathToFileURL(file) });
    expect(await world.act("it", "greet", "Ann")).toEqual(["Hello, Ann", 1]);
    writeFileSync(file, typed.replace("Hello", "Good morning"));
    const other = world.handle("it", "b").action({ name: "greet", args: ["Bo"] });
    expect(await other).toEqual(["Good morning, Bo", 1]);
    rmSync(file);
    // Where it is isn't for callers outside.
    const failed = await failure(world.handle("it", "c").action({ name: "greet", args: [] }));
    expect(failed.is).toBe("actor.start_failed");
    expect(JSON.stringify(failed)).not.toContain("rules.ts");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an address is asked at each activation, and a digest says which bytes are run", async () => {
  let asked = 0;
  let body = moduleOf(`actions: { version: () => 1 }`);
  await using server = await serve((request, response) => {
    asked += 1;
    response.writeHead(request.url === "/rules.js" ? 200 : 404).end(body);
  });
  const sha256 = createHash("sha256").update(body).digest("hex");
  const load = () => ({ source: server.url("/rules.js") });
  await using world = await DynamicWorld.start({
    any: dynamicActor({ load }),
    pinned: dynamicActor({ source: server.url("/rules.js"), sha256 }),
    missing: dynamicActor({ source: server.url("/missing.js") }),
  });
  const version = (name: string, key: string) =>
    world.handle(name, key).action({ name: "version", args: [] });
  expect([await version("any", "a"), await version("pinned", "a"), await version("any", "a")]).toEqual([
    1, 1, 1,
  ]);
  expect(asked).toBe(2);
  body = moduleOf(`actions: { version: () => 2 }`);
  expect(await version("any", "b")).toBe(2);
  expect(await failure(version("pinned", "b"))).toMatchObject({ is: "dynamic.integrity_mismatch" });
  expect(await failure(version("missing", "a"))).toMatchObject({ is: "actor.start_failed" });
});

test("one that doesn't come, is too long or isn't text is refused", async () => {
  const clock = new StoppedTimers();
  await using server = await serve((request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/long") response.end("x".repeat(limits.isolateSourceBytes + 1));
    else if (path === "/bytes") response.end(Buffer.of(0xff, 0xfe));
    else clock.ring();
  });
  const read = (path: string) => textOfSource({ source: server.url(path) }, clock);
  await expect(read("/long")).rejects.toMatchObject({ code: "source_too_long" });
  await expect(read("/bytes")).rejects.toMatchObject({ code: "source_unread", public: false });
  // Whatever opens it is nobody else's, also not the log's.
  const message = expect.not.stringContaining("s3cret");
  await expect(read("/bytes?token=s3cret")).rejects.toMatchObject({ code: "source_unread", message });
  await expect(read("/never")).rejects.toThrow(`it took longer than ${limits.pluginOpenTimeoutMs} ms`);
});

/** Time stands still, until it is over for all that wait. */
class StoppedTimers implements Timers {
  readonly #tasks = new Set<() => void>();

  set(task: () => void) {
    this.#tasks.add(task);
    return task;
  }

  clear(task: unknown): void {
    this.#tasks.delete(task as () => void);
  }

  ring(): void {
    for (const task of this.#tasks) task();
  }
}
