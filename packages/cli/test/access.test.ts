/** Who may speak to the gateway. */
import { expect, test } from "vitest";
import { checkAccess } from "../src/gateway/access.ts";

function check(host: string, origin?: string): void {
  checkAccess({ headers: { host, origin }, rawHeaders: ["Host", host] });
}

test.each([["127.0.0.1:4040"], ["localhost"], ["LOCALHOST:1"], ["[::1]:4040"]])(
  "Host %s may come in",
  (host) => {
    expect(() => check(host)).not.toThrow();
    expect(() => check(host, "http://localhost:3000")).not.toThrow();
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
  expect(() => check(host)).toThrow(/not allowed/);
});

test.each([["https://evil.example"], ["null"], ["http://localhost.evil.example"], ["file://"]])(
  "Origin %s may not",
  (origin) => {
    expect(() => check("localhost", origin)).toThrow(/not allowed/);
  },
);

test("two Hosts are none, also where both are of this machine", () => {
  const rawHeaders = ["Host", "localhost", "Accept", "*/*", "host", "localhost"];
  expect(() => checkAccess({ headers: { host: "localhost" }, rawHeaders })).toThrow(/more than one Host/);
});
