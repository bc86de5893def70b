/** The process driver under test, where it can run. */
import type { DriverUnderTest } from "../../../../conformance/sandbox/drivers.ts";
import { ProcessDriver, type ProcessDriverOptions } from "../../src/sandbox/bubblewrap/process-driver.ts";

/** Its path. */
export const bubblewrap = process.env.TROUPE_TEST_BWRAP ?? "";

/** Why it can't, or undefined. */
export const missing: string | undefined =
  bubblewrap === "" ? process.env.TROUPE_TEST_BWRAP_WHY || "bubblewrap is not installed" : undefined;

export function processDriver(options: ProcessDriverOptions = {}): ProcessDriver {
  return new ProcessDriver({ bubblewrap, ...options });
}

export const processes: DriverUnderTest = { name: "process", make: processDriver, missing };
