import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["troupe-source"] },
  ssr: { resolve: { conditions: ["troupe-source", "node", "import", "default"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "sim/**/*.test.ts", "tools/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 20_000,
  },
});
