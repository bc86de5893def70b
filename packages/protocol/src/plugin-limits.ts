/** What a plugin may take, say and hold, and how long one is waited for. A part of `limits`. */
export const pluginLimits = {
  /** Actors that one plugin declares. */
  pluginActors: 256,
  /** Actions, or events, of one of a plugin's actors. */
  pluginActorMembers: 1_024,
  /** The options of one of a plugin's actors, JSON. */
  pluginActorOptionsBytes: 64 * 1024,
  /** Middleware that one plugin declares. */
  pluginMiddleware: 1_024,
  /** From a plugin's start to its Ready. */
  pluginOpenTimeoutMs: 15_000,
  /** A plugin ends within this time after it was told to. */
  pluginCloseTimeoutMs: 5_000,
  /** A carrier that takes longer than it was given is waited for so long, then reported. */
  pluginCloseGraceMs: 1_000,
  /** Calls of one plugin's middleware that wait for answers. */
  pluginCalls: 4_096,
  /** Calls of `next` of one such call that wait for answers. */
  pluginNexts: 256,
  /** Scopes of the relay that one plugin has open. */
  pluginScopes: 1_024,
  /** So many scopes that a plugin was told are known behind their end, at least, for each of its running instances, */
  pluginInstanceEndedScopes: 4_096,
  /** and at the most for all of them. Twice as many are held, and those that are open: about 15 MB. */
  pluginEndedScopes: 32_768,
  /** Calls of one instance that have no answer, and whose scopes are known. Of more, the first count as ended. */
  pluginInstanceToldCalls: 4_096,
  /** Gates that one plugin has. */
  pluginGates: 64,
  /** Default of such a call's time. */
  pluginCallTimeoutMs: 60_000,
  /** One frame between host and plugin, either way: room for the largest batch and what is around it. */
  pluginFrameBytes: 64 * 1024 * 1024 + 64 * 1024,
  /** The file of a native plugin, and of a worker that is checked against a digest. */
  pluginLibraryBytes: 512 * 1024 * 1024,
  /** Frames that a native plugin keeps for the host to pull; told to it, and its to hold. */
  pluginQueuedFrames: 65_536,
  /** Frames that wait in the host for a plugin that takes nothing more in. */
  pluginWaitingFrames: 65_536,
  /** Bytes of those frames. */
  pluginWaitingBytes: 128 * 1024 * 1024 + 128 * 1024,
  /** Frames that the host takes from one plugin before everybody else has a turn: some 30 µs of it, less than a call of a neighbour's. */
  pluginFramesPerTurn: 64,
  /** Frames that it may have heard beyond them for each that it was given: what an action writes, broadcasts and answers, and one. */
  pluginFramesPerAsked: 4,
  /** All of them in one turn, however much it was given. */
  pluginFramesPerTurnAsked: 256,
  /**
   * A plugin that floods rests so many times as long as its turn took, where others are served: it has a hundredth of the host's time. What
   * it says costs its own process several times what it costs the host, so that all together have about a twentieth of a processor.
   */
  pluginRestTimes: 99,
  /** It rests no longer than this: a flood of small frames is heard at 10,000 in a second or more, however busy the others are. */
  pluginRestMs: 4,
  /** Its turn is over after so long, however few frames it had: less than a call of a neighbour's takes. */
  pluginFloodTurnMs: 0.05,
  /** The body of an HTTP request that a plugin's SDK has whole before its function runs. */
  pluginRequestBodyBytes: 8 * 1024 * 1024,
  /** Lines that one plugin says to the log in a second; the rest is counted. */
  pluginLogLinesPerSecond: 1_024,
  /** A plugin's manifest. */
  pluginManifestBytes: 64 * 1024,
  /** A file that has a list of plugins, or a user's policy. */
  pluginStateBytes: 4 * 1024 * 1024,
  /** Files of code beside one plugin's manifest that are pinned: some 100 bytes each of that file. */
  pluginCodeFiles: 1_024,
  /** Who changes a list of plugins waits so long for others who do. */
  pluginStateLockMs: 5_000,
  /** The file beside a manifest that has its signature. */
  pluginSignatureBytes: 1024,
  /** When a plugin is deactivated, calls of its middleware that have begun may take this long. */
  pluginDrainMs: 5_000,
  /** A plugin whose process is gone is started again so often within `pluginCrashWindowMs`, then no more. */
  pluginCrashes: 5,
  /** The time that those are counted in. */
  pluginCrashWindowMs: 10 * 60_000,
  /** Before the first new start; each one after it waits twice as long. */
  pluginRestartMs: 500,
  /** The longest wait before a new start. */
  pluginRestartMostMs: 30_000,
} as const;
