/** A worker's first command, when just-bash has loaded only what most commands need. */
import { expect, test } from "vitest";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";

/** What a worker prints whose first command this is. */
async function first(command: string): Promise<string> {
  const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal });
  try {
    return (await sandbox.exec(command)).stdout;
  } finally {
    await sandbox.shutdown();
  }
}

test("a pattern has what it needs, although a command that runs may load nothing", async () => {
  const commands = [
    "[[ ab =~ ^(a) ]] && echo $BASH_REMATCH",
    "case foo in f*) echo yes ;; esac",
    "word=hello; echo $" + "{word//l/L} $" + "{word%o}",
  ];
  expect(await Promise.all(commands.map(first))).toEqual(["a\n", "yes\n", "heLLo hell\n"]);
});

test("so has a digest", async () => {
  expect(await first("echo abc | sha1sum")).toMatch(/^03cfd743661f07975fa2f1220c5194cbaff48451 /);
});

test("the shell's options are told in their order", async () => {
  expect(await first("set -o noglob; echo $SHELLOPTS")).toBe(
    "braceexpand:hashall:interactive-comments:noglob\n",
  );
});
