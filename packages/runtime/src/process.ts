export { nodeBusyPoll } from "./node/busy-poll.ts";
export { nodeEnv } from "./node/env.ts";
export { exampleOfOwnedFolder, makeOwnedFolder, ownedFolderPlace } from "./node/owned-folder.ts";
