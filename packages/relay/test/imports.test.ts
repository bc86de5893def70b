/** What a program loads that imports the relay: no package of a collector's before it exports to one. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The third-party packages that `code` loads. */
async function loaded(code: string): Promise<string[]> {
  const script = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({
      load(url, context, next) {
        const [, name] = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
        if (name !== undefined && !name.startsWith("@troupe")) seen.add(name);
        return next(url, context);
      },
    });
    ${code}
    console.log(JSON.stringify([...seen].sort()));`;
  const flags = ["--conditions=troupe-source", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root, timeout: 15_000 });
  return JSON.parse(stdout.trim());
}

test("S5.3 (in part) neither the relay nor its components nor its exporters load a collector's packages", async () => {
  const subpaths = ["relay", "relay/plugin", "relay/opentelemetry", "relay/adaptive", "relay/observability"];
  const imports = subpaths.map((subpath) => `await import("troupe/${subpath}");`).join("\n");
  const own = (packages: readonly string[]) =>
    packages.filter((name) => /opentelemetry|grpc|protobuf/.test(name));
  expect(own(await loaded(imports))).toEqual([]);
  // The same look does see them when they are used.
  const used = `
    const { createRelay } = await import("troupe/relay");
    const { OpenTelemetrySubscriber } = await import("troupe/relay/opentelemetry");
    const relay = createRelay();
    const traces = new OpenTelemetrySubscriber({ type: "full", endpoint: "http://127.0.0.1:1/v1/traces", timeoutMillis: 100 });
    traces.register(relay, "traces");
    relay.event("m");
    await traces.shutdown().catch(() => {});`;
  expect(own(await loaded(used))).toContain("@opentelemetry/exporter-trace-otlp-proto");
});
