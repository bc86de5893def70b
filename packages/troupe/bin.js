#!/usr/bin/env node
// Not built: npm links a program that is there when it installs, in a clone before anything is. Any Node can read this file, and none
// before 24 the rest: it would say so by a stack of its own.
const { node } = process.versions;
if (Number.parseInt(node, 10) >= 24) {
  await import("./dist/bin.js");
} else {
  process.stderr.write(`troupe needs Node 24 or newer; this is ${node}\n`);
  // To an agent a hook that fails has nothing to say, but for this code: what it asked about must not happen.
  process.exitCode = process.argv[2] === "hook" ? 2 : 1;
}
