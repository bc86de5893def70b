/** Calls of models with a codec: intercepts work in its words, events have them beside the provider's. */
import { codecNamed, type LlmCodec, type LlmRequest } from "@troupe/relay";
import { expect, test } from "vitest";
import { codeOf, Driver } from "./driver/driver.ts";

/** A provider that calls the model "m"; the codec calls it "model". */
const codec: LlmCodec = {
  decode: ({ content }) => ({ model: Object(content).m }),
  encode: (annotated, original) => ({
    ...original,
    content: { ...Object(original.content), m: Object(annotated).model },
  }),
  decodeResponse: (response) => ({ text: Object(response).t }),
};
const request: LlmRequest = {
  headers: { authorization: "s3cret", a: "b" },
  content: { m: "small", extra: 1 },
};

test("request intercepts change the annotated form; it is encoded once, over what it has no words for", async () => {
  const driver = new Driver();
  const { relay } = driver;
  relay.registerLlmRequestIntercept("larger", ({ request: given, annotated }) => ({
    request: { ...given, headers: { ...given.headers, by: "larger" } },
    annotated: { ...Object(annotated), model: "large" },
  }));
  relay.registerLlmRequestIntercept("looks", ({ request: given, annotated }) => {
    expect(annotated).toEqual({ model: "large" });
    return { request: given };
  });
  let sent: LlmRequest | undefined;
  const provider = (real: LlmRequest) => {
    sent = real;
    return { t: "hi" };
  };
  expect(await relay.llmCallExecute("l", request, provider, { codec })).toEqual({ t: "hi" });
  expect(sent).toMatchObject({ headers: { by: "larger", a: "b" }, content: { m: "large", extra: 1 } });
  expect((await driver.find("l", "start")).category_profile).toEqual({
    annotated_request: { model: "large" },
  });
  expect((await driver.find("l", "end")).category_profile).toEqual({ annotated_response: { text: "hi" } });
});

test("an edit in place is encoded like any other, and the caller's own request stays as it was", async () => {
  const { relay } = new Driver();
  relay.registerLlmRequestIntercept("edits", ({ request: given, annotated }) => {
    Object(annotated).messages[0].content = "edited";
    return { request: given };
  });
  relay.registerLlmRequestIntercept("answers it", ({ request: given, annotated }) => {
    Object(annotated).params = { temperature: 0 };
    return { request: given, annotated };
  });
  const content = { messages: [{ role: "user", content: "as given" }] };
  const provider = (sent: LlmRequest) => sent.content;
  const options = { codec: codecNamed("anthropic_messages") };
  expect(await relay.llmCallExecute("l", { headers: {}, content }, provider, options)).toMatchObject({
    messages: [{ role: "user", content: "edited" }],
    temperature: 0,
  });
  expect(content.messages).toEqual([{ role: "user", content: "as given" }]);
});

test("the content isn't changed in place behind the codec's back either", async () => {
  const { relay } = new Driver();
  relay.registerLlmRequestIntercept("sly", ({ request: given }) => {
    Object(given.content).m = "other";
    return { request: given };
  });
  const own = { headers: {}, content: { m: "small" } };
  const error = await relay.llmCallExecute("l", own, () => 1, { codec }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "middleware_failed", cause: { code: "bad_answer" } });
});

test("with a codec the provider's own form may not be changed behind its back", async () => {
  const { relay } = new Driver();
  relay.registerLlmRequestIntercept("sly", ({ request: given }) => ({ request: { ...given, content: {} } }));
  const error = await relay
    .llmCallExecute("l", request, () => 1, { codec })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "middleware_failed", cause: { code: "bad_answer" } });
});

test("what sanitizers hide is hidden in the annotation too", async () => {
  const driver = new Driver();
  driver.relay.registerLlmSanitizeRequestGuardrail("hide", ({ value }) => ({
    ...Object(value),
    content: { m: "hidden" },
  }));
  driver.relay.registerLlmSanitizeResponseGuardrail("omit", () => null);
  await driver.relay.llmCallExecute("l", request, () => ({ t: "s3cret" }), { codec });
  expect((await driver.find("l", "start")).category_profile).toEqual({
    annotated_request: { model: "hidden" },
  });
  expect((await driver.find("l", "end")).category_profile).toEqual({});
  expect(JSON.stringify(driver.events)).not.toContain("s3cret");
});

test("a codec that throws refuses the call before it, and only the annotation behind it", async () => {
  const broken = (): never => {
    throw new Error("broken");
  };
  const driver = new Driver();
  const options = { codec: { ...codec, decodeResponse: broken } };
  expect(await driver.relay.llmCallExecute("l", request, () => "mine", options)).toBe("mine");
  expect((await driver.find("l", "end")).category_profile).toEqual({});
  driver.relay.registerLlmRequestIntercept("r", ({ request: given }) => ({ request: given, annotated: {} }));
  const call = (wrong: Partial<LlmCodec>) =>
    codeOf(driver.relay.llmCallExecute("l", request, () => 1, { codec: { ...codec, ...wrong } }));
  expect([await call({ decode: broken }), await call({ encode: broken })]).toEqual([
    "relay.codec_failed",
    "relay.codec_failed",
  ]);
});
