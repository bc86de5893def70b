/** Redaction of events: what each detector finds, what each action does, and that calls are never touched. */

import {
  type BuiltinConfig,
  ComponentSpec,
  type DetectorName,
  defaultConfig,
} from "@troupe/relay/pii-redaction";
import { createComponents } from "@troupe/relay/plugin";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

async function redacting(...profiles: BuiltinConfig[]): Promise<Driver> {
  const driver = new Driver();
  const components = createComponents(driver.relay);
  await components.initialize({ components: [ComponentSpec({ ...defaultConfig(), profiles })] });
  return driver;
}

async function dataOf(profile: BuiltinConfig, data: unknown): Promise<unknown> {
  const driver = await redacting(profile);
  driver.relay.event("m", { data });
  return (await driver.find("m", "mark")).data;
}

const azure = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const R = "[REDACTED]";
const found: readonly (readonly [DetectorName, string, string])[] = [
  ["email", "mail a.b+c@example.co.uk!", `mail ${R}!`],
  ["phone", "call +1 (415) 555-2671 or +491701234567 now", `call ${R} or ${R} now`],
  ["api_key", "key sk-abcdefghijklmnopqrstuvwxyz123456 ghp_0123456789abcdefghij", `key ${R} ${R}`],
  ["ip_address", "ip 10.1.2.3, 255.255.255.255", `ip ${R}, ${R}`],
  ["ipv6", "v6 2001:db8::1 fe80::1:2 1:2:3:4:5:6:7:8", `v6 ${R} ${R} ${R}`],
  ["url", "see https://x.y/z?q=1 ok", `see ${R} ok`],
  ["uuid", "id 0190163d-8694-739b-aea5-966c26f8ad91.", `id ${R}.`],
  ["bearer_token", "Authorization: Bearer abcdef1234567890.xyz", `Authorization: ${R}`],
  ["jwt", "t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk x", `t ${R} x`],
  ["credit_card", "card 4111 1111 1111 1111 and 4111 1111 1111 1112", `card ${R} and 4111 1111 1111 1112`],
  ["aws_access_key_id", "AKIAIOSFODNN7EXAMPLE x", `${R} x`],
  ["aws_secret_access_key", "key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY x", `key=${R} x`],
  ["gcp_api_key", "AIzaSyA1234567890abcdefghijklmnopqrstuv x", `${R} x`],
  ["azure_storage_account_key", `AccountKey=${azure};`, `AccountKey=${R};`],
];

test.each(found)("%s is found in the midst of a text", async (detector, text, expected) => {
  expect(await dataOf({ action: "redact", detector }, { deep: [text] })).toEqual({ deep: [expected] });
});

const innocent: readonly (readonly [DetectorName, string])[] = [
  ["email", "a@b, @you, x@y.1"],
  ["phone", "at 2026-11-21 12:30:45, order 1234567890, 3.14159-2"],
  ["api_key", "sk-short task-management-of-the-whole"],
  ["ip_address", "version 1.2.3.4.5, 256.1.1.1"],
  ["ipv6", "at 12:30:45 std::vector a:b ::"],
  ["uuid", "0190163d-8694-739b-aea5"],
  ["credit_card", "1234 5678 9012 3456"],
  ["aws_secret_access_key", "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["jwt", "eyJ.x.y"],
];

test.each(innocent)("%s leaves alone what only looks like it", async (detector, text) => {
  expect(await dataOf({ action: "redact", detector }, text)).toBe(text);
});

test.each(found)("%s reads a long text in a time that grows with its length alone", async (detector) => {
  const hostile = [
    "a".repeat(50_000),
    "1 ".repeat(30_000),
    "a.".repeat(30_000),
    "a@".repeat(30_000),
    "::".repeat(30_000),
    "eyJaaaaaa.".repeat(8_000),
  ];
  const began = performance.now();
  await dataOf({ action: "redact", detector }, hostile);
  expect(performance.now() - began).toBeLessThan(5_000);
});

const data = { t: "to a.b@example.com and aXb", u: { w: "secret", n: 5 } };
const sha = "a6f1bad172104d254e536c6b8dbab9bb2d1e2427e766189525c1099ea578d690";
const actions: readonly (readonly [BuiltinConfig, unknown])[] = [
  [
    { action: "mask", detector: "email" },
    { ...data, t: "to a**@example.com and aXb" },
  ],
  [
    { action: "mask", detector: "email", unmasked_prefix: 2, unmasked_suffix: 3, mask_char: "#" },
    { ...data, t: "to a.##########com and aXb" },
  ],
  [
    { action: "hash", detector: "email" },
    { ...data, t: `to ${sha} and aXb` },
  ],
  [
    { action: "redact", detector: "email", replacement: "<X>" },
    { ...data, t: "to <X> and aXb" },
  ],
  [
    { action: "regex_replace", pattern: "a(.)b", replacement: "[$1]" },
    { ...data, t: "to [.]@example.com and [X]" },
  ],
  [{ action: "remove", target_paths: ["/t"] }, { u: data.u }],
  [
    { action: "mask", target_paths: ["/u/w", "/t"] },
    { t: "*".repeat(26), u: { w: "******", n: 5 } },
  ],
  [
    { action: "mask", target_paths: ["/u"] },
    { t: data.t, u: { w: "******", n: "*" } },
  ],
  [
    { action: "regex_replace", pattern: "9", replacement: "0", target_paths: ["/u/n"] },
    { t: data.t, u: data.u },
  ],
  [{ action: "redact", detector: "email", target_paths: ["/u/w"] }, data],
  [
    { action: "remove", target_path_globs: ["/u/*"] },
    { t: data.t, u: {} },
  ],
  [
    { action: "remove", target_path_globs: ["/**/w"] },
    { t: data.t, u: { n: 5 } },
  ],
];

test.each(actions)("%j does as was recorded", async (profile, expected) => {
  expect(await dataOf(profile, data)).toEqual(expected);
});

test("scopes that call themselves tools or models are looked at, also where a program ends a call as a scope", async () => {
  const driver = await redacting({ action: "redact", detector: "email" });
  const { relay } = driver;
  const mail = "a@example.com";
  for (const type of ["tool", "llm", "agent"] as const) {
    await relay.withScope(type, type, () => 1, { input: { mail } });
    relay.popScope(relay.pushScope(type, type, { input: { mail } }), { output: { mail } });
  }
  relay.popScope(relay.toolCall("t", { mail }), { output: { mail } });
  relay.toolCallEnd(relay.toolCall("t", { mail }), { result: mail });
  await relay.flushSubscribers();
  expect(driver.events.length).toBe(16);
  expect(driver.events.filter((event) => JSON.stringify(event).includes(mail))).toEqual([]);
});

test("a payload is read once: what a path means isn't looked for in what is left", async () => {
  const driver = await redacting({ action: "remove", target_paths: ["/0"] });
  const { relay } = driver;
  relay.toolCallEnd(relay.toolCall("call", [1, 2, 3]), { result: 1 });
  relay.popScope(relay.pushScope("scope", "tool", { input: [1, 2, 3] }));
  expect((await driver.find("call", "start")).data).toEqual([2, 3]);
  expect((await driver.find("scope", "start")).data).toEqual([2, 3]);
});

test("every place of an event is looked at, and no call is touched", async () => {
  const driver = await redacting({ action: "redact", detector: "email" });
  const { relay } = driver;
  const mail = "a@example.com";
  const given: unknown[] = [];
  await relay.withScope(
    "agent",
    "agent",
    async () => {
      relay.event("mark", { data: mail, metadata: { by: mail } });
      const tool = (args: unknown) => {
        given.push(args);
        return { result: mail, annotation: mail };
      };
      expect(await relay.toolCallExecute("tool", { mail }, tool)).toEqual({ result: mail, annotation: mail });
      const request = { headers: {}, content: { messages: [{ content: mail }] } };
      const model = (real: unknown) => {
        given.push(real);
        return { text: mail };
      };
      expect(await relay.llmCallExecute("model", request, model)).toEqual({ text: mail });
      const failing = (): never => {
        throw new Error(`no such user: ${mail}`);
      };
      await relay.toolCallExecute("failing", {}, failing).catch(() => {});
    },
    { input: { mail }, metadata: { user: mail } },
  );
  await relay.flushSubscribers();
  expect(JSON.stringify(given)).toContain(mail);
  expect(driver.events.filter((event) => JSON.stringify(event).includes(mail))).toEqual([]);
  expect(JSON.stringify(await driver.find("failing", "end"))).toContain("no such user: [REDACTED]");
});
