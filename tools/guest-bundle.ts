/**
 * Programs that are run by their path, each bundled into one script: that of an isolate (`packages/plugins/src/carriers/isolate/guest/`),
 * which what runs from the sources takes as well, and that of a sandbox of real processes. Part of the build: they are published.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleParts, type PartedProgram, type PartedScripts } from "./guest-parts.ts";
import { madeOnce } from "./made-once.ts";

const plugins = new URL("../packages/plugins/", import.meta.url);

const local = "runtime/src/actor/local/";

/** What few actors use, run when one does. What an actor of state and actions alone uses is better in the core: a story says so. */
const guestParts: PartedProgram["parts"] = {
  workflow: [
    "runtime/src/workflow/",
    `${local}workflowing.ts`,
    `${local}workflows-api.ts`,
    `${local}step-context.ts`,
  ],
  queue: [
    "runtime/src/queue/",
    `${local}queueing.ts`,
    `${local}queue-api.ts`,
    `${local}handler-queue.ts`,
    `${local}send-call.ts`,
  ],
  schedule: [
    "runtime/src/schedule/",
    `${local}cron-api.ts`,
    `${local}schedule-api.ts`,
    `${local}fire-schedule.ts`,
  ],
  sql: [
    "runtime/src/sql/",
    `${local}database-client.ts`,
    "runtime/src/guest/guest-sql.ts",
    "runtime/src/guest/statement-group.ts",
    "runtime/src/guest/sql-pace.ts",
    "runtime/src/actor/migrations.ts",
    "protocol/src/actor/sql.ts",
    "protocol/src/actor/sql-outcomes.ts",
  ],
  client: ["client/src/", "protocol/src/client/"],
  connections: [
    `${local}conn-state.ts`,
    `${local}conn.ts`,
    `${local}conns.ts`,
    `${local}subscribing.ts`,
    `${local}restore.ts`,
    "runtime/src/events/retained.ts",
    "runtime/src/events/retained-bytes.ts",
    "runtime/src/guest/guest-subscription.ts",
  ],
  raw: [
    `${local}raw-request.ts`,
    `${local}raw-socket.ts`,
    `${local}web-socket.ts`,
    `${local}open-socket.ts`,
    `${local}socket-listeners.ts`,
    `${local}answer-body.ts`,
    `${local}pump.ts`,
    `${local}flow-call.ts`,
    `${local}flow-chain.ts`,
  ],
  calls: [
    `${local}keyed-calls.ts`,
    `${local}enter-chain.ts`,
    `${local}entries.ts`,
    `${local}exclusive.ts`,
    "runtime/src/idempotency/",
    "plugins/src/carriers/isolate/guest/sha256.ts",
    "runtime/src/rate-limit/",
  ],
  errors: [
    "runtime/src/errors.ts",
    "runtime/src/access-errors.ts",
    "runtime/src/socket-errors.ts",
    "runtime/src/events/errors.ts",
    "runtime/src/storage/not-durable.ts",
    "runtime/src/config-errors.ts",
    "runtime/src/storage-errors.ts",
    "runtime/src/entry-errors.ts",
    "runtime/src/connection-errors.ts",
    "runtime/src/flow-errors.ts",
    "protocol/src/wire-error.ts",
    "protocol/src/errors.ts",
    "protocol/src/values/path.ts",
    "base/src/nearest.ts",
  ],
  end: [`${local}stop.ts`, `${local}run.ts`],
  kv: [`${local}kv-api.ts`, "runtime/src/kv/"],
  asks: ["plugins/src/carriers/isolate/guest/asks.ts"],
  files: ["plugins/src/carriers/isolate/guest/files.ts"],
  relay: ["relay/src/scope/", "relay/src/propagation-errors.ts"],
  web: ["web-body.ts", "web-fetch.ts", "web-headers.ts", "web-stream.ts"].map(
    (file) => `plugins/src/carriers/isolate/guest/${file}`,
  ),
  values: [
    "protocol/src/values/json-revive.ts",
    "protocol/src/values/json-read.ts",
    "protocol/src/values/explain.ts",
    "protocol/src/values/base64.ts",
    "protocol/src/values/error-value.ts",
    "protocol/src/values/views.ts",
    "protocol/src/values/bigint.ts",
  ],
};

/** What stands in the folders of parts, and every actor uses. */
const guestCore: readonly string[] = [
  "client/src/index.ts",
  "client/src/reserved-names.ts",
  "runtime/src/queue/queue-key.ts",
  "runtime/src/workflow/failure.ts",
  "runtime/src/workflow/ledger.ts",
];

/** What it depends on beside its sources: what bundles them, and the packages' word on which file an import means. */
const besides: readonly string[] = [
  ...["guest-bundle.ts", "guest-parts.ts"].map((file) => join(import.meta.dirname, file)),
  join(import.meta.dirname, "../node_modules/esbuild/package.json"),
  ...globSync(join(import.meta.dirname, "../packages/*/package.json")),
];

/** Builds it, unless it was built of the same sources. Rejects when it imports anything of a platform's. */
export async function buildGuest(): Promise<void> {
  const guest = fileURLToPath(new URL("src/carriers/isolate/guest/", plugins));
  const made = fileURLToPath(new URL("dist/isolate-guest.json", plugins));
  await madeOnce(made, async () => {
    const { inputs, ...scripts } = await guestScripts(guest);
    return { text: JSON.stringify(scripts), inputs: [...inputs, ...besides] };
  });
}

function guestScripts(guest: string): Promise<PartedScripts> {
  return bundleParts({
    entry: `${guest}main.ts`,
    linker: `${guest}parts.ts`,
    root: fileURLToPath(new URL("../packages/", import.meta.url)),
    core: guestCore,
    parts: guestParts,
    options: {
      // Not "node": an import of a built-in module fails the build.
      platform: "neutral",
      target: "es2024",
      mainFields: ["module", "main"],
      conditions: ["troupe-source"],
      logLevel: "warning",
    },
  });
}

/**
 * What begins a sandbox of real processes (`packages/agent-os/src/sandbox/bubblewrap/inside/`), in place of what was built of it: in one
 * file, and of the kind that Node takes it for without a look at its contents, it is there in two thirds of the time.
 */
async function buildSupervisor(): Promise<void> {
  const bubblewrap = new URL("../packages/agent-os/", import.meta.url);
  await build({
    entryPoints: [fileURLToPath(new URL("src/sandbox/bubblewrap/inside/supervisor.ts", bubblewrap))],
    outfile: fileURLToPath(new URL("dist/sandbox/bubblewrap/inside/supervisor.js", bubblewrap)),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    external: ["@lydell/node-pty"],
    define: { "import.meta.url": "__filename" },
    logLevel: "warning",
  });
}

/**
 * The process of an embedded sandbox and the thread that guards it, each in place of what was built of it: as one file of few, since the first
 * sandbox of a program waits for them. just-bash stays what is installed.
 */
async function buildSandboxWorker(): Promise<void> {
  const embedded = fileURLToPath(new URL("../packages/agent-os/src/sandbox/embedded/", import.meta.url));
  await build({
    entryPoints: ["worker-main.ts", "worker-guard.ts"].map((file) => join(embedded, file)),
    outdir: fileURLToPath(new URL("../packages/agent-os/dist/sandbox/embedded/", import.meta.url)),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    external: ["just-bash"],
    logLevel: "warning",
  });
}

if (import.meta.main) {
  await buildGuest();
  await buildSupervisor();
  await buildSandboxWorker();
}
