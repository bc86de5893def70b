export { nodeBusyPoll } from "./node/busy-poll.ts";
export { isOutOfDescriptors, lacksDescriptors, tooManyOpenFiles } from "./node/descriptors.ts";
export { nodeEnv } from "./node/env.ts";
export { exampleOfOwnedFolder, makeOwnedFolder, ownedFolderPlace } from "./node/owned-folder.ts";
export { PassingLock } from "./node/sqlite/passing-lock.ts";
export { startedChild } from "./node/started-child.ts";
