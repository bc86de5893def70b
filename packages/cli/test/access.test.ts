/** Who may speak to the gateway. */
import { expect, test } from "vitest";
import { checkAccess } from "../src/gateway/access.ts";

test.each([["127.0.0.1:4040"], ["localhost"], ["LOCALHOST:1"], ["[::1]:4040"]])(
  "Host %s may come in",
  (host) => {
    expect(() => checkAccess({ host })).not.toThrow();
    expect(() => checkAccess({ host, origin: "http://localhost:3000" })).not.toThrow();
  },
);

test.each([
  [""],
  ["evil.example"],
  ["localhost.evil.example"],
  ["evil.example@localhost"],
  ["localhost:4040/evil"],
  ["127.0.0.1.nip.io:4040"],
])("Host %j may not", (host) => {
  expect(() => checkAccess({ host })).toThrow(/not allowed/);
});

test.each([["https://evil.example"], ["null"], ["http://localhost.evil.example"], ["file://"]])(
  "Origin %s may not",
  (origin) => {
    expect(() => checkAccess({ host: "localhost", origin })).toThrow(/not allowed/);
  },
);
