/** The shapes that credentials come in: each is left out of what an exporter gets, and what only looks like one stays. */
import { expect, test } from "vitest";
import type { Json, RelayEvent } from "../src/events/event.ts";
import { eventWithoutSecrets } from "../src/redaction/secrets.ts";
import { Driver } from "./driver/driver.ts";

const S = "pl4ntedS3cret";
const tail = "0123456789abcdef";

function cleaned(data: Json): Json {
  const event: RelayEvent = {
    ...{ atof_version: "0.1", kind: "mark", uuid: "u", parent_uuid: null, timestamp: "t", name: "n", data },
    ...{ data_schema: null, metadata: null, category: null, category_profile: null },
  };
  return eventWithoutSecrets(event).data;
}

const names = [
  ...["accessToken", "clientSecret", "secretAccessKey", "privateKey", "OPENAI_API_KEY", "apiKey", "token"],
  ...[
    "X-API-Key",
    "x-auth-token",
    "x-amz-security-token",
    "Ocp-Apim-Subscription-Key",
    "csrf_token",
    "db.password",
    "DB_PWD",
    "auth.pass",
    "smtpPass",
  ],
];

test.each(names)("what stands under %s is a secret", (name) => {
  const shapes: Json[] = [
    ...[{ [name]: S }, { [name]: { a: [S] } }, [[name, S]], { rawHeaders: ["Host", "h", name, S] }],
    ...[{ name, value: S }, { key: name, value: S }, JSON.stringify({ a: { [name]: S } })],
    ...[`${name}=${S}`, `https://h/?a=b&${name}=${S}&c=d`, `so {"a":1,"${name}": "${S}`, `${name}: '${S}'`],
    JSON.stringify({ arguments: JSON.stringify({ [name]: `${S}"\\${S}` }) }),
    `cut ${JSON.stringify(JSON.stringify({ [name]: S }))}`,
  ];
  expect(shapes.map((shape) => JSON.stringify(cleaned(shape))).filter((text) => text.includes(S))).toEqual(
    [],
  );
});

const texts = [
  ...[`redis://:${S}@h/0`, `postgres://u:x/${S}@h/db`, `postgres://u:x@${S}@h/db`, `redis://:1/${S}@h`],
  ...[`Authorization: Basic ${S}${tail}`, `authorization: Digest a b ${S}`, `Cookie: a=b; c=${S}`],
  ...[
    `my_sk-${S}${tail}`,
    `whsec_${S}${tail}`,
    `sk-${S}${"a".repeat(300)}${S}`,
    `Bearer ${"a".repeat(4100)}${S}`,
  ],
  ...[
    `eyJhbGciOiJIUzI1NiJ9.${"A".repeat(9000)}${S}.c2lnbmF0dXJlcw`,
    `x-eyJhbGciOiJIUzI1NiJ9.${S}.c2lnbmF0dXJlcw`,
  ],
  `a -----BEGIN RSA PRIVATE KEY-----\n${S}\n-----END RSA PRIVATE KEY----- b`,
  `-----BEGIN PRIVATE KEY-----\n${S}`,
  ...[`mysql -h db --password ${S} shop`, `gh --api-key "${S}"`, `["login","--token","${S}"]`],
  ...[`<password>${S}</password>`, `<ns:api-key>${S}</ns:api-key>`, `at ya29.${S}${tail}`],
  ...[`SG.${tail}${tail}.${S}${tail}`, `x-auth: ${S}`],
];

test.each(texts)("%s has a secret, also as the name of a property", (text) => {
  expect(JSON.stringify([cleaned(text), cleaned({ [text]: 1 })])).not.toContain(S);
});

test("credentials of the scheme Basic are known without a header's name, and the word alone is none", () => {
  const encoded = btoa("ann:hunter2");
  expect(
    cleaned([`curl sent Basic ${encoded}.`, { pass: "x", auth: { user: "ann", pass: "hunter2" } }]),
  ).toEqual([
    "curl sent Basic [REDACTED].",
    { pass: "[REDACTED]", auth: { user: "ann", pass: "[REDACTED]" } },
  ]);
  const plain = [
    "Basic authentication",
    "basic knowledge",
    { pass: 12, bypass: "x", PWD: "/work" },
    "PWD=/work",
  ];
  expect(cleaned(plain)).toEqual(plain);
});

test("a text of JSON keeps its numbers as they are written where something else of it is left out", () => {
  const text =
    '{"id":12345678901234567890,"at":1.50,"e":1e400,"s":"1.50","password":"x","token":98765432109876543210}';
  expect(cleaned(text)).toBe(
    '{"id":12345678901234567890,"at":1.50,"e":1e400,"s":"1.50","password":"[REDACTED]","token":"[REDACTED]"}',
  );
});

test("a schema's properties may be called what they like; their defaults and examples are secrets", () => {
  const schema = {
    type: "object",
    properties: {
      password: { type: "string", minLength: 8, description: "the new one" },
      token: { anyOf: [{ type: "string" }, { type: "null" }] },
      auth: { type: "object", properties: { pass: { type: "string" } }, required: ["pass"] },
    },
    required: ["password"],
  };
  const tools = [{ type: "function", function: { name: "login", parameters: schema } }];
  expect(cleaned({ tools })).toEqual({ tools });
  expect(cleaned(JSON.stringify(schema))).toBe(JSON.stringify(schema));
  const telling = { properties: { password: { type: "string", default: S, examples: [S] } } };
  expect(cleaned(telling)).toEqual({
    properties: { password: { type: "string", default: "[REDACTED]", examples: ["[REDACTED]"] } },
  });
  // No schema, whatever it is called.
  expect(JSON.stringify(cleaned({ properties: { password: { type: "string", value: S } } }))).not.toContain(
    S,
  );
  expect(JSON.stringify(cleaned({ properties: { password: S } }))).not.toContain(S);
});

test("a password may be a number", () => {
  expect(cleaned({ password: 7711, deep: '{"password":7711}', text: "password=7711" })).toEqual({
    ...{ password: "[REDACTED]", deep: '{"password":"[REDACTED]"}', text: "password=[REDACTED]" },
  });
});

test("what counts tokens, or is no credential, stays", () => {
  const usage = { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11, max_tokens: 9, token_count: 2 };
  const plain: Json[] = [
    ...[usage, JSON.stringify(usage), { token: 5, cookies: 3 }, "token=5, cookies: 3", "max_tokens=5"],
    ...[
      { token: "Hel", logprob: -0.5, bytes: null },
      { eos_token: "</s>", next_page_token: "p2" },
    ],
    ...[{ required: ["password", "user"] }, { includeSecrets: true, password: null }],
    ...[
      "https://host:8080/@scope/name",
      "ssh://git@github.com/a",
      "https://h/a:b@c",
      "the primary_key_of_a_long_table",
      "a run with --max-tokens 500, --token 7 and --no-password --verbose",
      "<tokens>500</tokens><token>12</token>",
    ],
    ...[
      "A -----BEGIN PUBLIC KEY-----",
      '{ "spaced" :  "token" }',
      { name: "user", value: "x" },
      ["user", "ann"],
      ["run", "--password", "--verbose", "x"],
    ],
  ];
  for (const data of plain) expect(cleaned(data)).toEqual(data);
});

const hostile = [
  ...[
    "a",
    "eyJ",
    "-eyJaaaaaa",
    "eyJaaaaaa.",
    "sk-",
    "token",
    "token=",
    'token:"',
    "password\\\\",
    'token:\\"\\',
    "a://",
    "a:@",
    "://:@",
  ],
  ...[
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A ",
    "Bearer ",
    "authorization: ",
    '["token",',
    '{"token":',
    "[",
    "\\\"'",
    "api key ",
    "--token ",
    "--a-",
    "<token>",
    "<a.",
  ],
].map((piece) => [piece] as const);

/** CPU of reading so many characters, milliseconds. */
function cost(piece: string, length: number): number {
  const text = `${piece.repeat(Math.ceil(length / piece.length))}@`;
  const before = process.cpuUsage().user;
  cleaned(text);
  return (process.cpuUsage().user - before) / 1_000;
}

test.each(hostile)("many of %j are read in a time that grows with their length alone", (piece) => {
  const [some, more] = [cost(piece, 32_768), cost(piece, 262_144)];
  // Eight times as long: where the time grew with the square it would be 64 times. What is over at once needs no ratio.
  if (more > 1_000) expect(more).toBeLessThan(some * 24);
});

test("headers with credentials are no part of any event", async () => {
  const driver = new Driver();
  const secret = Object.fromEntries(
    [
      ...names.slice(7, 11),
      "Authorization",
      "proxy-authorization",
      "cookie",
      "set-cookie",
      "x-csrf-token",
    ].map((name) => [name, S]),
  );
  const headers = { ...secret, "x-request-id": "r", "content-type": "c" };
  await driver.relay.llmCallExecute("m", { headers, content: {} }, () => 1);
  expect((await driver.find("m", "start")).data).toEqual({
    headers: { "x-request-id": "r", "content-type": "c" },
    content: {},
  });
});
