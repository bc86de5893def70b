/** The page: one connection to a workspace, its session's events, and the views that show them. */
import { subscribe } from "troupe/agent-os/client";
import { createClient } from "troupe/client";
import { byId } from "../../chat-room/page/dom.ts";
import type { registry } from "../server.ts";
import { Chat } from "./chat.ts";
import { Conversation } from "./conversation.ts";
import { Files } from "./files.ts";
import { Terminal } from "./terminal.ts";

/** How often it is asked whether the agent is still at it: its turn's end is no event. */
const ASK_MS = 400;

const client = createClient<typeof registry>(location.origin);
// Each address has a workspace of its own: #another.
const workspace = client.workspace.getOrCreate([location.hash.slice(1) || "main"]).connect();

/** What the views use of it. */
export type Workspace = typeof workspace;

const conversation = new Conversation();
const files = new Files(workspace);
const refresh = (): void => void files.refresh().catch(failed);
const status = byId("status", HTMLParagraphElement);
let working = false;
let drawing = false;
const opened = workspace.openSession();

const chat = new Chat({
  send: (text) => {
    setWorking(true);
    // With a key it may be sent again when the connection is lost: the agent gets it once.
    const prompt = { content: text, idempotencyKey: crypto.randomUUID() };
    opened.then(() => workspace.prompt(prompt)).then(look, failed);
  },
  stop: () => void workspace.cancelPrompt().catch(failed),
  answer: (requestId, optionId) => void workspace.respondPermission({ requestId, optionId }).catch(failed),
});
new Terminal(workspace, refresh);

workspace.onStatusChange(showStatus);
showStatus();
chat.show(conversation, working);
addEventListener("hashchange", () => location.reload());
refresh();
opened.then(look, failed);
for await (const entry of subscribe(workspace, { sessionId: "main" })) {
  if (conversation.take(entry)) refresh();
  if (!working) look();
  draw();
}

/** Finds out whether the agent works, and asks again while it does. */
function look(): void {
  workspace.getSession().then(({ state }) => {
    const was = working;
    setWorking(state === "running" || state === "waiting");
    if (working && !was) setTimeout(follow, ASK_MS);
  }, failed);
}

function follow(): void {
  workspace.getSession().then(({ state }) => {
    setWorking(state === "running" || state === "waiting");
    if (working) setTimeout(follow, ASK_MS);
    else refresh();
  }, failed);
}

function setWorking(now: boolean): void {
  working = now;
  draw();
}

/** Many events come at once; they are drawn once. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    chat.show(conversation, working);
  });
}

function showStatus(): void {
  const connected = workspace.connStatus === "connected";
  status.textContent = connected ? "Connected" : "Connecting…";
  status.dataset["state"] = connected ? "connected" : "away";
}

function failed(cause: unknown): void {
  working = false;
  conversation.items.push({
    kind: "note",
    key: `failed ${conversation.items.length}`,
    text: cause instanceof Error ? cause.message : String(cause),
  });
  draw();
}
