/** The network of an embedded sandbox: none, or the one way out, with nothing of the host's inside. */
import { agentOS, type NetworkConfig } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import { serveWeb } from "../../../runtime/test/egress/web.ts";

async function workspace(t: TestContext, network?: NetworkConfig) {
  const config = network === undefined ? {} : { network };
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS(config) } }));
  return client.workspace.getOrCreate(["a"]);
}

test("without a policy there is no network and no command for it", async (t) => {
  const handle = await workspace(t);
  expect(await handle.exec("curl http://127.0.0.1/")).toMatchObject({ exitCode: 127 });
});

test("commands and processes reach what is allowed; the secret is never inside", async (t) => {
  const web = await serveWeb({
    "/echo": (request, response) => response.end(`key=${request.headers["x-key"]}`),
  });
  const handle = await workspace(t, {
    allow: [{ url: web.origin, private: true }],
    credentials: { API_KEY: { value: "s3cret", hosts: ["127.0.0.1"] } },
  });
  const { stdout } = await handle.exec(`curl -s -H "x-key: $API_KEY" ${web.origin}/echo; echo; env`);
  expect(web.asked[0]?.headers["x-key"]).toBe("s3cret");
  expect(stdout).toMatch(/^key=troupe-credential-[0-9a-f]{24}\n/);
  expect(stdout).not.toContain("s3cret");
  const line = `curl -s -H "x-key: $API_KEY" ${web.origin}/echo > got; cat got`;
  const { pid } = await handle.spawn("sh", ["-c", line]);
  expect(await handle.waitProcess(pid)).toBe(0);
  expect(web.asked[1]?.headers["x-key"]).toBe("s3cret");
  expect(new TextDecoder().decode(await handle.readFile("/home/user/got"))).toMatch(
    /^key=troupe-credential-/,
  );
  const refused = await handle.exec("curl -sS http://169.254.169.254/latest/meta-data; echo $?");
  expect(refused.stdout.trim()).not.toBe("0");
  expect(refused.stderr).toContain("is not on the allow list");
  expect(web.asked).toHaveLength(2);
}, 60_000);

test("JavaScript in a sandbox has the same way out, and no other", async (t) => {
  const web = await serveWeb({
    "/echo": (request, response) => response.end(`key=${request.headers["x-key"]}`),
  });
  const handle = await workspace(t, {
    allow: [{ url: web.origin, private: true }],
    credentials: { API_KEY: { value: "s3cret", hosts: ["127.0.0.1"] } },
  });
  await handle.writeFile(
    "/home/user/ask.mjs",
    `const answer = await fetch(process.argv[1], { headers: { "x-key": process.env.API_KEY } });
     console.log(await answer.text());`,
  );
  const allowed = await handle.exec(`js-exec ask.mjs ${web.origin}/echo`);
  expect(allowed.stdout).toMatch(/^key=troupe-credential-[0-9a-f]{24}\n$/);
  expect(web.asked[0]?.headers["x-key"]).toBe("s3cret");
  const refused = await handle.exec("js-exec ask.mjs http://169.254.169.254/latest/meta-data");
  expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
  expect(web.asked).toHaveLength(1);
}, 60_000);

test("what is no policy is refused by name", () => {
  const policy = (network: object) => () => agentOS({ network });
  expect(policy({ allows: [] })).toThrow('There is no option "network.allows". Did you mean "allow"?');
  expect(policy({ allow: ["example.com"] })).toThrow("no http or https URL");
  expect(policy({ credentials: { KEY: { value: "" } } })).toThrow('"network.credentials.KEY" must be');
});
