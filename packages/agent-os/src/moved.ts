/**
 * Names of agentOS's packages that are something else here. A program that still calls one is told what to use: `package.moved { use }`.
 */
import { packageErrors } from "./errors.ts";

function moved(name: string, use: string): (...args: readonly unknown[]) => never {
  return () => {
    throw packageErrors.moved(name, use);
  };
}

/** Is {@link agentOS} here; its options stand at the top, not below `options`. */
export const agentOs = moved("agentOs", "agentOS({ … }), with its options at the top");
/** Is a mount here. */
export const createInMemoryFileSystem = moved(
  "createInMemoryFileSystem",
  'mounts: [{ path, mode: "memory" }]',
);
/** Is a mount here. */
export const hostDirMount = moved("hostDirMount", "mounts: [{ path, hostPath }]");
/** Is a mount here. */
export const nodeModulesMount = moved("nodeModulesMount", "mounts: [{ path, hostPath }]");
/** Are the definition's `tools` here. */
export const toolKit = moved("toolKit", "tools: { name: { description, inputSchema, run } } of agentOS");
/** Is one of the definition's `tools` here. */
export const hostTool = moved("hostTool", "tools: { name: { description, inputSchema, run } } of agentOS");
