/** What can be said of the plugin without a host: `npm test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, noRm } from "./plugin.ts";

test("the guardrail refuses by name", () => {
  assert.equal(noRm({ toolName: "ls" }), null);
  assert.match(noRm({ toolName: "rm" }) ?? "", /rm/);
  assert.throws(() => noRm({ toolName: "mv" }), { code: "guardrail_rejected" });
});

test("a configuration is an object", () => {
  configure({});
  assert.throws(() => configure([]), TypeError);
});
