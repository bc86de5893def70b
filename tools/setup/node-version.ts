/** The scripts need Node 24 or newer, whatever the machine itself has: npm puts `node_modules/.bin/node` first. */

/** Undefined when `version` (as in `process.versions.node`) will do, otherwise what to do about it. */
export function wrongNode(version: string): string | undefined {
  if (Number(version.split(".")[0]) >= 24) return undefined;
  return [
    `This ran on Node ${version}; it needs Node 24, which \`npm install\` puts into node_modules/.bin.`,
    "Run `npm install`, then start it by its script (`npm test`, `npm run verify`), which looks there first.",
  ].join("\n");
}
