/** One document of components: checked as a whole, replaced as a whole. */
import { TroupeError } from "@troupe/base";
import { createRelay } from "@troupe/relay/node";
import {
  type Component,
  type ComponentContext,
  ComponentSpec,
  Components,
  createComponents,
  type PluginConfig,
} from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { componentPorts } from "../../src/platform-components.ts";
import { codeOf } from "../driver/driver.ts";

/** A component that refuses every tool, and says who it is. */
function guard(closed: string[] = []): Component {
  return {
    many: true,
    validate: (config, findings) =>
      findings.check(config, { name: (value) => (value === "bad" ? "good" : undefined) }),
    register: (config, context: ComponentContext) => {
      const name = String(config.name);
      context.registerToolConditionalExecutionGuardrail("guard", () => name);
      context.onClose(() => void closed.push(name));
      if (name === "throws") throw new Error("broken");
      // The name is taken twice: nothing of the document may stay.
      if (name === "collides") context.registerToolConditionalExecutionGuardrail("guard", () => name);
    },
  };
}

function guarded(closed: string[] = []) {
  const relay = createRelay();
  const components = createComponents(relay);
  components.register("guard", guard(closed));
  const document = (...names: string[]): PluginConfig => ({
    version: 1,
    components: names.map((name) => ComponentSpec("guard", { name })),
  });
  /** Who refused a tool: the first guardrail. */
  const refusedBy = async (): Promise<string> => {
    try {
      await relay.toolCallExecute("t", {}, () => ({ result: 1 }));
      return "nobody";
    } catch (error) {
      return TroupeError.is(error) ? String(error.metadata?.reason) : String(error);
    }
  };
  return { relay, components, document, refusedBy };
}

test("a document takes effect, is replaced by the next and ends, and nothing of it stays", async () => {
  const closed: string[] = [];
  const { relay, components, document, refusedBy } = guarded(closed);
  expect(await refusedBy()).toBe("nobody");
  const first = await components.initialize(document("one"));
  expect([await refusedBy(), first.isActive]).toEqual(["one", true]);
  const second = await components.initialize(document("two"));
  expect([await refusedBy(), first.isActive, second.isActive]).toEqual(["two", false, true]);
  expect(closed).toEqual(["one"]);
  await first.close();
  expect(await refusedBy()).toBe("two");
  await second.close();
  expect(await refusedBy()).toBe("nobody");
  expect([relay.listRuntimeRegistrations(), closed]).toEqual([[], ["one", "two"]]);
});

test("S5.4 (in part) a start that fails clears what it registered, leaves the former, and the next start succeeds", async () => {
  const closed: string[] = [];
  const { relay, components, document, refusedBy } = guarded(closed);
  await components.initialize(document("old"));
  const before = relay.listRuntimeRegistrations();
  expect(await codeOf(components.initialize(document("new", "throws")))).toBe("relay.component_failed");
  expect(await codeOf(components.initialize(document("new", "collides")))).toBe("relay.name_taken");
  expect(await codeOf(components.initialize(document("bad")))).toBe("relay.config_invalid");
  expect(relay.listRuntimeRegistrations()).toEqual(before);
  expect(await refusedBy()).toBe("old");
  expect(closed.sort()).toEqual(["collides", "new", "new", "throws"]);
  const next = await components.initialize(document("next"));
  expect(await refusedBy()).toBe("next");
  await next.close();
  expect(relay.listRuntimeRegistrations()).toEqual([]);
});

test("there is no moment without guardrails: every call while documents change is refused, by one of them", async () => {
  const { components, document, refusedBy } = guarded();
  let active = await components.initialize(document("first"));
  let changing = true;
  const refused = new Set<string>();
  const calls = (async () => {
    while (changing) {
      refused.add(await refusedBy());
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let n = 0; n < 50; n++) {
    active = await components.initialize(document(`n${n}`));
    await components.initialize(document("throws")).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  changing = false;
  await calls;
  expect(refused.has("nobody")).toBe(false);
  expect(refused.size).toBeGreaterThan(5);
  await active.close();
});

test("documents that are given at once take effect in order", async () => {
  const { components, document, refusedBy } = guarded();
  const all = await Promise.all(["a", "b", "c"].map((name) => components.initialize(document(name))));
  expect(all.map(({ isActive }) => isActive)).toEqual([false, false, true]);
  expect(await refusedBy()).toBe("c");
});

test("diagnostics name code, component, field, level, by the document's policy", () => {
  const components = createComponents(createRelay());
  const document: PluginConfig = {
    version: 2,
    components: [
      { kind: "nope" },
      { kind: "pii_redaction", config: { wat: 1, builtin: { action: "zap", detector: "qq" } } },
      { kind: "pii_redaction", config: { builtin: { action: "regex_replace", pattern: "(" } } },
      { kind: "adaptive", config: { response_cache: { ttl_seconds: -1 }, acg: {} } },
      {
        kind: "pricing",
        config: { sources: [{ type: "inline", catalog: { entries: [{ provider: "x", odd: 1 }] } }] },
      },
      { kind: "observability", config: { atof: { enabled: true, sinks: [{ type: "wat" }] } } },
    ],
  };
  const { diagnostics } = components.validate(document);
  const lines = diagnostics.map(
    ({ level, code, component, field }) => `${level} ${code} ${component} ${field}`,
  );
  expect(lines).toEqual([
    "error plugin.unsupported_value undefined version",
    "warning plugin.unknown_component undefined undefined",
    "warning pii_redaction.unknown_field pii_redaction wat",
    "error pii_redaction.unsupported_value pii_redaction builtin.action",
    "error pii_redaction.unsupported_value pii_redaction builtin.detector",
    "error pii_redaction.unsupported_value pii_redaction builtin.pattern",
    "error adaptive.unsupported_value adaptive response_cache.ttl_seconds",
    "error adaptive.unsupported_value adaptive acg",
    "error adaptive.missing_namespace adaptive response_cache.namespace",
    "warning pricing.unknown_field pricing sources[0].entries[0].odd",
    ...["model_id", "prompt_cache", "pricing_as_of", "pricing_source"].map(
      (field) => `error pricing.unsupported_value pricing sources[0].entries[0].${field}`,
    ),
    "error observability.unsupported_value observability atof.sinks[0].type",
    "error plugin.duplicate_component undefined components",
  ]);
  const strict = components.validate({
    components: [{ kind: "nope" }],
    policy: { unknown_component: "error" },
  });
  expect(strict.diagnostics).toMatchObject([{ level: "error", code: "plugin.unknown_component" }]);
  const lax = components.validate({
    components: [
      {
        kind: "pii_redaction",
        config: {
          wat: 1,
          builtin: { action: "hash", detector: "email" },
          policy: { unknown_field: "ignore" },
        },
      },
    ],
  });
  expect(lax.diagnostics).toEqual([]);
});

test("what is no document, and what is no entry, is said and never thrown", async () => {
  const components = createComponents(createRelay());
  for (const wrong of [
    null,
    1,
    [],
    { components: 1 },
    { components: [null] },
    { components: [{}] },
    { odd: 1, components: [{ kind: 1 }] },
  ]) {
    const { diagnostics } = components.validate(wrong as PluginConfig);
    expect([wrong, diagnostics.length > 0]).toEqual([wrong, true]);
  }
  expect(await codeOf(components.initialize({ components: 1 } as never))).toBe("relay.config_invalid");
});

test("a component that isn't enabled is checked, and has no effect", async () => {
  const { components, refusedBy } = guarded();
  const spec = ComponentSpec("guard", { name: "off" }, { enabled: false });
  await using active = await components.initialize({ components: [spec] });
  expect([await refusedBy(), active.report.diagnostics]).toEqual(["nobody", []]);
  expect(
    components.validate({ components: [ComponentSpec("guard", { name: "bad" }, { enabled: false })] })
      .diagnostics.length,
  ).toBe(1);
  expect(components.listKinds()).toEqual(["pricing", "pii_redaction", "adaptive", "observability", "guard"]);
  expect([components.deregister("guard"), components.deregister("guard")]).toEqual([true, false]);
});

test("a component that hangs is given up in time: the document before stays, and the next has its turn", async () => {
  const { relay, refusedBy } = guarded();
  const expiring: (() => void)[] = [];
  const timers = { set: (task: () => void) => expiring.push(task), clear: () => {} };
  const components = new Components(relay, { ...componentPorts, timers });
  const closed: string[] = [];
  const begun = Promise.withResolvers<ComponentContext>();
  components.register("guard", guard(closed));
  components.register("hangs", {
    register: (_config, context) => {
      begun.resolve(context);
      return new Promise<void>(() => {});
    },
  });
  components.register("lingers", {
    register: (_config, { onClose }) => onClose(() => new Promise(() => {})),
  });
  await components.initialize({ components: [ComponentSpec("guard", { name: "first" })] });
  const hung = codeOf(components.initialize({ components: [ComponentSpec("hangs")] }));
  const next = components.initialize({
    components: [ComponentSpec("guard", { name: "next" }), ComponentSpec("lingers")],
  });
  const context = await begun.promise;
  for (const expire of expiring.splice(0)) expire();
  expect([await hung, await refusedBy()]).toEqual(["relay.component_failed", "first"]);
  await next;
  expect(await refusedBy()).toBe("next");
  // What it holds after all is let go of.
  context.onClose(() => void closed.push("late"));
  expect(closed).toEqual(["first", "late"]);
  const last = components.initialize({ components: [] });
  await expect.poll(() => expiring.length).toBeGreaterThan(0);
  for (const expire of expiring.splice(0)) expire();
  expect((await last).report.runtime_diagnostics).toMatchObject([{ code: "plugin.close_failed", count: 1 }]);
});
