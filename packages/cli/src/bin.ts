#!/usr/bin/env node
/** The executable. A hook runs at each step of an agent: it starts without the other commands. */
const [, , command, agent] = process.argv;
if (command === "hook" && agent !== undefined && !agent.startsWith("-")) {
  const { runHook, thisProcess } = await import("./hook/command.ts");
  await runHook(agent, thisProcess());
} else {
  await import("./main.ts");
}

export {};
