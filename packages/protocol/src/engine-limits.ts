/**
 * What only an engine counts, and processes and threads of its machine. Not a part of `limits`: hosts on the edge bring each byte of theirs
 * over a network.
 */
export const engineLimits = {
  /** Bytes of one message between an actor and a process of its machine. */
  runtimeSocketFrameBytes: 8 * 1024 * 1024,
  /** Requests of one such process that are under way; no more is read of it until one has ended. */
  runtimeSocketRequests: 64,
  /** Processes that are connected to one actor. */
  runtimeSocketConnections: 64,
  /** Bytes of answers that such a process hasn't taken. */
  runtimeSocketUnreadBytes: 32 * 1024 * 1024,
  /** A host that an engine has asked a platform for has come by then; else another one is asked for. */
  hostArriveMs: 20_000,
  /** Links that somebody has opened who wants to be a host and hasn't said Hello. Past it the oldest is closed. */
  hostsOpening: 256,
  /** Bytes that a host's connection holds because the host reads nothing. Past it the host is given up. */
  hostUnsentBytes: 256 * 1024 * 1024,
  /** A serverless host drains after this, if its pool says nothing else. */
  serverlessLifespanMs: 270_000,
  /** Actors whose last failed start is kept for people; of the oldest one the log alone knows. */
  failedStarts: 1_024,
  /** Namespaces of one runtime. */
  namespaces: 1_024,
  /** Names that one was called by before and that settings may still say; more, and the oldest is forgotten. */
  formerNames: 16,
  /** Words of carried code that wait for the answer which they are stored with. */
  carriedJoinedWords: 4_096,
  /** Names of actors and pools that remote hosts bring to one namespace. */
  broughtNames: 4_096,
  /** The file of a plugin in WebAssembly. */
  wasmModuleBytes: 32 * 1024 * 1024,
  /** The memory that such a plugin may declare that it grows to. */
  wasmMemoryBytes: 256 * 1024 * 1024,
  /** Entries of its tables, all together. */
  wasmTableEntries: 100_000,
  /** It may run so long without an end: opening, or one turn with the frames that waited. Then its thread is ended. */
  wasmTimeMs: 5_000,
  /** Behind a sync, batches that are ready wait so long for those that come of its turn. */
  wasmMomentMs: 1,
  /** MiB of its thread's JavaScript heap, which holds nothing of the module's. */
  wasmThreadHeapMb: 32,
  /** A worker process has connected in this time after its start. */
  workerConnectMs: 10_000,
  /** A worker is asked for a sign of life this often. */
  workerBeatMs: 5_000,
  /** One that has shown none for so long is noted in the log. */
  workerSilentMs: 15_000,
  /** After so long it is ended: it had as long for one step of its own as a call has by default. */
  workerHungMs: 60_000,
  /** Connections to a worker's socket until one of them has shown its token; past it the oldest is closed. */
  workerConnections: 8,
  /** One message between a host and a worker: room for the largest frame and what is around it. */
  workerMessageBytes: 64 * 1024 * 1024 + 128 * 1024,
  /** What a worker said last on its standard error, kept for the error that its end becomes. */
  workerStderrBytes: 4 * 1024,
  /** What a worker does when its host is gone, it has done by then: it is ended, with all that it started. */
  guardianWaitMs: 1_000,
  /** A guardian that was ended or stopped is back after so long. */
  guardianLookMs: 1_000,
  /** Processes of a worker: its own, and what it started. */
  workerProcesses: 128,
  /** Bytes of memory that they have together. */
  workerMemoryBytes: 2 * 1024 * 1024 * 1024,
  /** Their use is looked at this often. */
  workerLookMs: 250,
  /** Calls to other actors that are open for one actor whose code runs elsewhere. */
  carriedActorCalls: 1_024,
} as const;
