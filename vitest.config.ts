import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./tools/longest-first.ts";
import { environmentOf, findProgram, neededPrograms } from "./tools/setup/programs.ts";

// `npm test` says what it found or why not; a bare `vitest` looks for itself.
const unsaid = neededPrograms.filter((program) => process.env[program.variable] === undefined);

// Hundreds of processes load the same sources, the workers and those that stories start: each would strip and compile them
// again. What is kept is checked against the source that it was made of.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/troupe-compiled");

const runtime = "packages/runtime/test";

/**
 * The runtime's stories that hold, word for word, for actors whose code is elsewhere: each actor of these files runs
 * behind actor/v1 as well. Not here: files whose stories are about what a carried actor can't do (connections to other actors), about
 * `fetch`, or about the turn in which something happens.
 */
const carried = [
  `${runtime}/{access,turns,schedule,host,kv,raw,events,streams,actor-calls,sql,queue,relay,workflow,hibernation}/*.test.ts`,
  `${runtime}/lifecycle/{start,overload,stop,calls,expire}.test.ts`,
  `${runtime}/definitions/options-walk.test.ts`,
  `${runtime}/actions/{validation,waiting,idempotency,serial,chains}.test.ts`,
  `${runtime}/state/{chunks,loans,versions}.test.ts`,
  `${runtime}/connections/{connect,passing,sockets}.test.ts`,
  `${runtime}/inspector/{reading,live}.test.ts`,
  `${runtime}/gate/{reentrant,retryable,unconfirmed}.test.ts`,
  `${runtime}/testing/crash.test.ts`,
];

/** Stories that count the processes that are theirs. */
const counting = ["packages/plugins/test/isolate/process.test.ts", "packages/plugins/test/leaks.test.ts"];

export default defineConfig({
  test: {
    // The program of isolates is a bundle also where everything else runs from the sources.
    globalSetup: [
      "tools/setup/guest-bundle.ts",
      "tools/setup/compile-cache.ts",
      "tools/setup/troupe-bundle.ts",
    ],
    // For two cores: stories wait almost half of their time, for timers, disks and programs that begin. The simulator takes what four
    // of them leave.
    maxWorkers: 5,
    pool: "forks",
    sequence: { sequencer: LongestFirst },
    projects: [
      project("all", ["{packages/*/test,tools}/**/*.test.ts"], { isolate: false, exclude: counting }),
      project("whole", ["{conformance,sim,test}/**/*.test.ts", ...counting], { isolate: true }),
      project("carried", carried, { isolate: false, env: { TROUPE_TEST_CARRIED: "1" } }),
    ],
  },
});

interface ProjectOptions {
  /**
   * A process for each file, for stories that start programs and count what is left of them, and for the simulator, which yields to
   * all others. The others share theirs, which
   * saves more than half a second of loading for each of some four hundred files: what a file sets up at the top of a module that others
   * load too, it sets up once for all of them.
   */
  readonly isolate: boolean;
  readonly exclude?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function project(name: string, include: readonly string[], { isolate, exclude = [], env }: ProjectOptions) {
  return {
    resolve: { conditions: ["troupe-source"] },
    ssr: { resolve: { conditions: ["troupe-source", "node", "import", "default"] } },
    test: {
      name,
      include: [...include],
      exclude: ["**/node_modules/**", ...exclude],
      isolate,
      env: { ...environmentOf(unsaid.map((program) => findProgram(program, process.env))), ...env },
      // Node loads the sources by itself, as in every other process of a test: no transform, no wrapped imports.
      // A hang is found also so; a machine that others share may take ten times as long as a free one.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      expect: { poll: { timeout: 30_000, interval: 20 } },
    },
  };
}
