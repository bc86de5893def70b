/** Headers of requests in events: whoever stands between an agent and its model makes names up for credentials. */
import { relayOn } from "@troupe/relay";
import { expect, test } from "vitest";
import { platformEnv } from "../src/platform.ts";

const secret = [
  ...["Authorization", "X-Api-Key", "Cookie", "Helicone-Auth", "X-Portkey-Virtual-Key", "X-Authentication"],
  ...["X-Vercel-Protection-Bypass", "X-Signature", "X-Hub-Signature-256", "x-goog-iap-jwt-assertion"],
  ...["CF-Access-Client-Secret", "cf-aig-authorization", "X_OAuth_1", "apikey", "x-client-keys"],
  ...[
    "X-Bearer",
    "X-GitHub-PAT",
    "X-Client-Cert",
    "X-Forwarded-Client-Cert",
    "SSL_CLIENT_CERT_CHAIN",
    "X-ARR-ClientCert",
  ],
  ...[
    "X-Amzn-Oidc-Data",
    "X-MS-Client-Principal",
    "DPoP",
    "X-CSRF",
    "X-OTP",
    "X-Passphrase",
    "X-SAML-Response",
  ],
];
const harmless = [
  ...["content-type", "user-agent", "anthropic-version", "anthropic-beta", "x-session-id", "x-request-id"],
  ...["x-stainless-retry-count", "author", "x-max-tokens", "openai-organization", "accept-encoding"],
  ...["x-pattern", "x-compat", "x-concerto", "x-spin", "x-side", "x-path", "x-tokens-remaining"],
];

test("an event has no header whose name speaks of a credential, wherever in it, and all others", async () => {
  const relay = relayOn(platformEnv());
  const told: string[][] = [];
  relay.registerSubscriber("told", ({ data }) => {
    const headers: unknown = Object(data).headers;
    if (headers !== undefined) told.push(Object.keys(Object(headers)));
  });
  const headers = Object.fromEntries([...secret, ...harmless].map((name) => [name, "v"]));
  await relay.llmCallExecute("m", { headers, content: {} }, () => ({}));
  await relay.flushSubscribers();
  expect(told[0]?.filter((name) => name !== "traceparent")).toEqual(harmless);
});
