import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { budgetsCheck } from "./checks/budgets.ts";
import { type Fixture, fixture } from "./fixture.ts";
import { previousText } from "./ratchet.ts";
import { Repository } from "./repository.ts";

const path = "tools/budget-list.json";

function git(repository: Fixture, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
    cwd: repository.root,
  });
}

function commit(repository: Fixture, text: string): void {
  repository.write(path, text);
  git(repository, "add", "-A");
  git(repository, "commit", "-qm", "step");
}

const before = (repository: Fixture) => previousText(new Repository(repository.root), path);

test("a list is compared with its version before the latest change", () => {
  using repository = fixture({ [path]: "one" });
  expect(before(repository)).toBeUndefined();
  git(repository, "init", "-q");
  expect(before(repository)).toBeUndefined();
  commit(repository, "one");
  expect(before(repository)).toBeUndefined();
  repository.write(path, "two");
  expect(before(repository)).toBe("one");
  commit(repository, "two");
  expect(before(repository)).toBe("one");
  git(repository, "commit", "-q", "--allow-empty", "-m", "something else");
  expect(before(repository)).toBe("one");
});

test("a longer budget list is refused, before and after it is committed", async () => {
  using repository = fixture({ "sim/a.ts": "// line\n".repeat(401) });
  git(repository, "init", "-q");
  commit(repository, JSON.stringify({ files: {}, functions: {} }));
  const grown = JSON.stringify({ files: { "sim/a.ts": 401 }, functions: {} });
  const refused = [{ at: path, message: expect.stringContaining("may only shrink") }];
  repository.write(path, grown);
  expect(await budgetsCheck.find(new Repository(repository.root))).toEqual(refused);
  commit(repository, grown);
  expect(await budgetsCheck.find(new Repository(repository.root))).toEqual(refused);
});
