/** Names of agentOS: each action and event of its generations is here, or docs/moving-from-agentos.md says what to use. */
import { readFileSync } from "node:fs";
import { agentOS } from "@troupe/agent-os";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../../docs/moving-from-agentos.md", import.meta.url), "utf8");
const [, ...parts] = page.split(/^## /m);
const named = parts.find((part) => part.startsWith("Names that aren't here")) ?? "";
const rows = [...named.matchAll(/^\| (?<names>`.*`) \| (?<use>.+) \|$/gm)];
const told = new Map(
  rows.flatMap(({ groups: { names = "", use = "" } = {} }) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => [name, use] as const),
  ),
);

/** `rivetkit/agent-os` of 2.3, and the session generation behind it. */
const actions =
  `createSession listSessions getSession destroySession resumeSession closeSession sendPrompt cancelPrompt respondPermission
  setMode getModes setModel setThoughtLevel getConfigOptions getEvents getSequencedEvents rawSend listPersistedSessions getSessionEvents
  exec spawn writeProcessStdin closeProcessStdin waitProcess listProcesses allProcesses processTree getProcess stopProcess killProcess
  readFile writeFile readFiles writeFiles mkdir readdir readdirRecursive stat exists move deleteFile listAgents createSignedPreviewUrl
  expireSignedPreviewUrl openShell writeShell resizeShell closeShell scheduleCron listCronJobs cancelCronJob vmFetch
  readdirEntries remove execArgv waitShell httpRequest vmFetchStreamStart vmFetchStreamRead vmFetchStreamCancel openSession deleteSession
  unloadSession prompt readHistory getSessionConfig setSessionConfigOption getSessionCapabilities getSessionAgentInfo createPreviewUrl
  expirePreviewUrl exportRootFilesystem mountFs unmountFs listMounts listSoftware linkSoftware`.split(/\s+/);
const events = `sessionEvent permissionRequest vmBooted vmShutdown processOutput processExit shellData cronEvent shellStderr shellExit agentExit agentCrashed streamError`;

const { descriptor } = agentOS();

test.each(actions)("the action %s is here, or the page says what to use, and that is here", (name) => {
  const use = told.get(name);
  const here = descriptor.actions.includes(name);
  expect({ name, here, told: use !== undefined }).toEqual({ name, here, told: !here });
  for (const [, used = ""] of (use ?? "").matchAll(/`(\w+)\(/g)) expect(descriptor.actions).toContain(used);
});

test.each(events.split(" "))("the event %s is here, or the page says what to use", (name) => {
  expect({ name, told: told.has(name) }).toEqual({ name, told: !descriptor.events.includes(name) });
});
