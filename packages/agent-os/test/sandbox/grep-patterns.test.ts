/** Several patterns of one grep, in an embedded sandbox. */
import { expect, test } from "vitest";
import { boot } from "../../../../conformance/sandbox/drivers.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { withOnePattern } from "../../src/sandbox/embedded/grep-patterns.ts";

test.each([
  [
    ["a", "file"],
    ["a", "file"],
  ],
  [
    ["-e", "a", "file"],
    ["-e", "a", "file"],
  ],
  [
    ["-n", "-e", "a", "file", "-e", "b"],
    ["-e", "a\nb", "-n", "file"],
  ],
  [
    ["-ea", "--regexp=b", "--regexp", "c", "file"],
    ["-e", "a\nb\nc", "file"],
  ],
  [
    ["-inve", "a", "-e", "-b", "file"],
    ["-e", "a\n-b", "-inv", "file"],
  ],
  [
    ["-A", "-e", "-e", "a", "-m2", "-C", "1", "f"],
    ["-e", "a", "-A", "-e", "-m2", "-C", "1", "f"],
  ],
  [
    ["-e", "a", "--", "-e", "b"],
    ["-e", "a", "--", "-e", "b"],
  ],
  [
    ["--exclude", "x", "-e", "", "-f", "list", "-"],
    ["-e", "", "--exclude", "x", "-f", "list", "-"],
  ],
  [
    ["-n", "-e"],
    ["-n", "-e"],
  ],
])("%j asks for %j", (args, one) => expect(withOnePattern(args)).toEqual(one));

test("grep looks for each of its patterns, as a command, in a pipe and below find", async (context) => {
  const sandbox = await boot({ name: "embedded", make: () => new EmbeddedDriver() }, context);
  const said = async (command: string) => (await sandbox.exec(command)).stdout;
  await sandbox.exec("printf 'akey\\nb\\nother\\nx.y\\n' > f");
  expect(await said("grep -e key -e other f")).toBe("akey\nother\n");
  expect(await said("cat f | grep -in -e KEY -eOTHER")).toBe("1:akey\n3:other\n");
  expect(await said("grep -ve key --regexp=other f")).toBe("b\nx.y\n");
  expect(await said("egrep -e 'k.y|b' -e 'x[.]y' f")).toBe("akey\nb\nx.y\n");
  expect(await said("fgrep -e . -e b f")).toBe("b\nx.y\n");
  expect(await said("find . -name f -exec grep -c -e key -e b {} \\;")).toBe("2\n");
  expect(await said("echo f | xargs grep -o -e key -e b")).toBe("key\nb\n");
  expect(await said("grep -P -e 'k\\w+' -e '^b$' f")).toBe("akey\nb\n");
});
