import { hibernationLimits } from "./hibernation-limits.ts";
import { pluginLimits } from "./plugin-limits.ts";
import { relayExportLimits } from "./relay-export-limits.ts";

/**
 * Every limit of Troupe, in one place. Each has a code of its own in `errors.ts` and a test.
 *
 * Sizes are bytes, times are milliseconds. What has a name in RivetKit's documentation keeps its value, unless a
 * promise of ours needs another one.
 */
export const limits = {
  /** Actor names: the keys of `setup({ use })`. Characters. */
  actorNameLength: 64,
  /** One component of a key, UTF-8. */
  keyComponentBytes: 128,
  /** A whole key, UTF-8, all components. */
  keyBytes: 1_024,
  /** Components of a key: each costs a byte or more, so that `keyBytes` bounds them; this bounds empty ones. */
  keyComponents: 64,
  /** Names of actions and events. Characters. */
  memberNameLength: 256,
  /** Connection parameters, encoded. */
  connectionParamsBytes: 4_096,
  /** The input of a new actor, encoded. */
  inputBytes: 4 * 1024 * 1024,

  /** The first message on a socket: parameters, input, and what is around them. */
  helloBytes: 4_096 + 4 * 1024 * 1024 + 4_096,
  /** The message of an error that leaves: a longer one is cut. Characters. */
  errorMessageLength: 8_192,
  /** The metadata of an error that leaves, encoded: larger one is left out. */
  errorMetadataBytes: 64 * 1024,

  /** Nesting of a value: objects, arrays, maps and sets each count one. */
  valueDepth: 128,
  /** Entries (properties, elements, map entries) of one value, all levels together. */
  valueEntries: 1_000_000,
  /** The magnitude of a bigint: to read or write it in decimal takes more than linear time. */
  bigintBytes: 4_096,

  /** The body of an HTTP request. 20 MiB, as RivetKit. */
  httpBodyBytes: 20 * 1024 * 1024,
  /** The bodies and hellos that one gateway reads at once, all together. */
  gatewayBodyBytes: 256 * 1024 * 1024,
  /** One message from a client on a WebSocket; `options.maxIncomingMessageSize` lowers it per actor. */
  incomingMessageBytes: 32 * 1024 * 1024,
  /** One message to a client. */
  outgoingMessageBytes: 32 * 1024 * 1024,
  /** Default of `options.maxIncomingMessageSize`. */
  defaultIncomingMessageBytes: 64 * 1024,
  /** Default of `options.maxOutgoingMessageSize`. */
  defaultOutgoingMessageBytes: 1024 * 1024,

  /** Frames held for a connection that is still opening. */
  openingFrames: 1_024,
  /** Bytes held for a connection that is still opening. */
  openingBytes: 1024 * 1024,
  ...hibernationLimits,
  ...pluginLimits,
  /** Bytes that a client may leave unread before its socket is closed with 1013. */
  sendBufferBytes: 16 * 1024 * 1024,
  /** Bytes that all clients of a gateway may leave unread together; past it the largest backlogs are closed with 1013. */
  gatewayUnreadBytes: 256 * 1024 * 1024,
  /** A socket that is closed and whose client doesn't read the end is cut off after this. */
  closeTimeoutMs: 5_000,
  /** Calls without a connection that one client sends over HTTP at once: each has a socket. */
  clientCallsAtOnce: 1_024,
  /** Calls without a connection that wait for one of those. */
  clientCallsWaiting: 65_536,
  /** Calls of actors inside of each other. */
  callDepth: 1_000,
  /** Actions in flight on one connection. */
  connectionActionsInFlight: 4_096,
  /** Subscriptions of one connection. */
  connectionSubscriptions: 1_024,
  /** Events that wait for one loop over `conn.events()`. */
  connectionEventsWaiting: 4_096,
  /** Open sockets of one gateway. */
  gatewaySockets: 100_000,
  /** Time from a socket's opening to its hello message. */
  helloTimeoutMs: 15_000,
  /** A gateway pings a silent socket after this, and closes it when the next period brings nothing. */
  heartbeatMs: 30_000,
  /** Time from a remote host's link to its Hello. */
  hostHelloMs: 15_000,
  /** Time from a remote host's dial to the engine's Welcome. */
  hostDialMs: 10_000,
  /** An engine asks a remote host for a sign of life this often, and gives it up when the third is due after two without one. */
  hostHeartbeatMs: 1_000,
  /** An engine keeps the actors of a remote host whose link is lost for this long. */
  hostResumeMs: 2_000,
  /** Bytes of messages that one side of a host's session keeps until the other side has read them. */
  hostUnreadBytes: 16 * 1024 * 1024,
  /** The longest lifespan that an engine may order. */
  longestLifespanMs: 86_400_000,
  /** Characters of an order to start a host. */
  startOrderBytes: 4_096,
  /** An activation waits this long for a remote host that has the actor's code. */
  hostWaitMs: 10_000,
  /** The same where hosts are serverless: one has to be asked for. */
  hostAllocateMs: 30_000,
  /** The actors of a remote host that stops have this long to go elsewhere. */
  hostDrainMs: 30_000,
  /** The longest time that a drain may be given. */
  hostDrainLongestMs: 86_400_000,
  /** HTTP headers must have arrived in this time. */
  headersTimeoutMs: 10_000,
  /** A whole HTTP request must have arrived in this time. */
  requestTimeoutMs: 60_000,
  /** Late requests are looked for this often. */
  requestLookMs: 5_000,
  /** HTTP headers, all together; of an actor's answer as well. */
  headerBytes: 16 * 1024,

  /** Raw HTTP requests that one actor has in flight, bodies of their answers included. */
  actorRequests: 4_096,
  /** Streams of models that one actor has open: far fewer than a plugin may have calls, so that one that forgets its own takes nobody else's. */
  actorStreams: 128,
  /** One chunk of a raw HTTP body on its way through the house: larger ones are cut. */
  bodyChunkBytes: 64 * 1024,
  /** Chunks of one body, either way, that are read ahead of whoever takes them. */
  bodyChunks: 16,
  /** An answer of a raw request that says its length is held so long, for its body to end as it should. */
  declaredAnswerMs: 20,
  /** Nothing more of a raw request's body, while the actor waits for it, before it is given up. */
  bodySilenceMs: 30_000,
  /** Items of one streamed action that are made ahead of their reader. */
  streamItems: 256,
  /** As `streamItems`, from actor to actor: items that aren't encoded have no size that anybody knows. */
  streamItemsLocal: 16,
  /** Bytes of those items; one goes whatever its size. */
  streamBytes: 1024 * 1024,
  /** The reader of a stream or a raw HTTP answer takes nothing, while something waits for it, before it is given up. */
  streamStallMs: 60_000,

  /** One top-level property of the state, encoded: a larger one fails its commit. */
  statePropertyBytes: 16 * 1024 * 1024,
  /** A property past this size is stored in chunks of it, of which those that changed are written. */
  stateChunkBytes: 1024 * 1024,
  /** A property past this size is named in a warning when it is written again. */
  statePropertyWarnBytes: 64 * 1024,
  /** Top-level properties of the state. */
  stateProperties: 4_096,
  /** All rows of one batch, encoded. */
  batchBytes: 64 * 1024 * 1024,
  /** Events of one name that are retained: the most that `retain` may be. */
  retainedEvents: 1_000,
  /** Arguments of one retained event, encoded. */
  retainedEventBytes: 64 * 1024,
  /** Arguments of all retained events of one name, encoded. */
  retainedBytes: 4 * 1024 * 1024,

  /** Outputs that wait at one actor's gate. */
  gateOutputs: 65_536,
  /** Bytes of the outputs that wait at one actor's gate. */
  gateBytes: 64 * 1024 * 1024,

  /** A key of the key-value store, bytes. As the next four: RivetKit's. */
  kvKeyBytes: 2_048,
  /** A value of the key-value store. */
  kvValueBytes: 128 * 1024,
  /** Keys of one `batchGet`, `batchPut` or `batchDelete`. */
  kvBatchEntries: 128,
  /** Keys and values of one `batchPut`. */
  kvBatchBytes: 976 * 1024,
  /** Entries of one list. */
  kvListEntries: 16_384,
  /** Values of one list: it is in memory as a whole. */
  kvListBytes: 32 * 1024 * 1024,

  /** The text of one `execute`, UTF-8: several statements together. */
  sqlBytes: 1024 * 1024,
  /** Parameters of one statement. */
  sqlParameters: 1_024,
  /** Parameters of one statement, all together: text as UTF-8, numbers as 8 bytes. */
  sqlBoundBytes: 1024 * 1024,
  /** Statements of one `batch`: nobody else of the process has a turn between them. */
  sqlBatchStatements: 4_096,
  /** Texts and parameters of one `batch`, each text as often as it is used. */
  sqlBatchBytes: 4 * 1024 * 1024,
  /** Statements of one turn that go to an engine in one message. Those behind them go in the next one. */
  sqlGroupStatements: 256,
  /** Texts and parameters of such a message: with a statement that is larger it goes alone. */
  sqlGroupBytes: 256 * 1024,
  /** What such statements gave is told in answers of about so much. */
  sqlAnswerBytes: 1024 * 1024,
  /** Rows of one result: it is in memory as a whole. */
  sqlResultRows: 100_000,
  /** Values of one result: text as its characters, numbers as 8 bytes. */
  sqlResultBytes: 32 * 1024 * 1024,
  /** One value, or row, that SQL may make. More than any row of the runtime's. */
  sqlValueBytes: 64 * 1024 * 1024,
  /** Pattern of LIKE and GLOB, bytes: matching takes the longer the more of it are wildcards. */
  sqlPatternBytes: 4_096,
  /** Triggers inside each other. */
  sqlTriggerDepth: 100,
  /** A statement of SQL that takes longer is named in the log, while it runs. Milliseconds. */
  sqlSlowMs: 250,
  /** One text of SQL of code that isn't trusted: its process is killed then. The default of `sqlTimeLimitMs`. */
  sqlStatementMs: 5_000,
  /** The most that `sqlTimeLimitMs` may be. */
  sqlStatementLongestMs: 60_000,
  /** Processes for the SQL of code that isn't trusted. */
  sqlHelpers: 8,
  /** MiB of one of them. */
  sqlHelperMemoryMb: 512,
  /** An actor whose database rests so long gives its process back; a process that nobody uses ends. */
  sqlHelperIdleMs: 10_000,
  /** An actor whose database rests keeps its process so long although others wait for one. */
  sqlHelperTurnMs: 100,
  /** The longest wait for a process. */
  sqlHelperWaitMs: 30_000,
  /** The longest that such a process may take for what isn't its actor's SQL. */
  sqlHelperAnswerMs: 60_000,
  /** A transaction that leaves its turn: the default of its `timeout`. No batch is taken, and nothing said, meanwhile. */
  sqlTransactionMs: 5_000,
  /** A batch that turns elsewhere have kept open for so long lets those end that it has, and takes no more. */
  sqlTurnJoinMs: 5,
  /** The longest that such a turn keeps its batch open, where `actionTimeout` isn't more. */
  sqlTurnMs: 60_000,
  /** Statements of one remote host that run at once. */
  sqlWorkers: 32,
  /** Of those, one actor's. */
  sqlWorkersOfActor: 8,
  /** Statements of one remote actor that wait for a worker. */
  sqlWaiting: 1_024,
  /** Statements of one remote actor that wait in its own host until the engine takes more, and their bytes. */
  sqlHeld: 65_536,
  sqlHeldBytes: 64 * 1024 * 1024,
  /** An actor that stops waits this long for SQL that runs. */
  sqlDrainMs: 5_000,
  /** The most that `timeout` may be. */
  sqlTransactionLongestMs: 60_000,
  /** Transactions inside each other. */
  sqlTransactionDepth: 32,
  /** The log of an actor's own database past which it is moved into the file. */
  ownLogBytes: 4 * 1024 * 1024,

  /** An idempotency key. Characters. */
  idempotencyKeyLength: 256,
  /** Idempotency keys that one actor remembers; past it the oldest are forgotten before their time. */
  idempotencyKeys: 10_000,
  /** The same, bytes of their results and what is around them. */
  idempotencyBytes: 16 * 1024 * 1024,
  /** One result that is kept under a key: of a larger one only that it was. */
  idempotencyResultBytes: 1024 * 1024,
  /** Who a caller is, as `callerIdentity` says. Characters. */
  callerIdentityLength: 4_096,
  /** A result is kept under its key for this long. */
  idempotencyKeptMs: 24 * 60 * 60 * 1_000,
  /** Keys that are forgotten, at most, for each that is remembered. */
  idempotencySweep: 16,

  /** Callers whose calls one actor counts (`rateLimit.caller`): past it the one that was away longest is forgotten. */
  rateLimitedCallers: 4_096,

  /** Entries that wait for their turn at one actor with `concurrency: "serial"`. */
  serialEntries: 4_096,
  /** Entries of serial actors in one chain of calls, one inside of the other. */
  callChainLength: 64,
  /** Issues that a validation error tells. */
  validationIssues: 64,

  /** Schedules of one actor; `options.maxSchedules` lowers it. */
  schedules: 1_000,
  /** Arguments of one scheduled call, encoded. */
  scheduleArgsBytes: 64 * 1024,
  /** The name of a schedule. Characters. */
  scheduleNameLength: 128,
  /** Tries of one scheduled call. */
  scheduleAttempts: 100,
  /** One-shot calls of an actor that failed and are kept: the oldest goes. They don't count as schedules. */
  schedulesFailed: 100,
  /** Missed times of a job that are made up for, or told of in its history, at once: the newest ones. */
  scheduleCatchUp: 100,
  /** Runs of one job that haven't ended. */
  scheduleOpenRuns: 100,
  /** Default of a job's `maxHistory`. As the next two: RivetKit's. */
  defaultScheduleHistory: 100,
  /** The most that `maxHistory` may be. */
  scheduleHistory: 1_000,
  /** Rows of history of all jobs of an actor: the job with most of them loses its oldest. */
  scheduleHistoryRows: 10_000,
  /** Actors found due by one look at the alarms. */
  alarmsPerRound: 128,
  /** Actors that are being woken for their alarms at once. */
  alarmsWaking: 1_024,
  /** Actors whose due alarms are known to wait for something, so that others are found behind them. */
  alarmsHeld: 16_384,
  /** Actors that are gone and whose removal the disk refused, so that it is tried again. */
  removalsHeld: 16_384,

  /** Messages in all queues of one actor; the default of `options.maxQueueSize`. As the next: RivetKit's. */
  queueMessages: 1_000,
  /** One message of a queue, encoded; the default of `options.maxQueueMessageSize`. A reply has the same limit. */
  queueMessageBytes: 64 * 1024,
  /** The most that `options.maxQueueMessageSize` may be. */
  queueMessageBytesLargest: 4 * 1024 * 1024,
  /** Messages of one queue that are read at once. */
  queuePageMessages: 256,
  /** Messages of one queue that stay in memory when they come; others are read when it is their turn. */
  queueHeldMessages: 1_024,
  /** Bytes of those messages. */
  queueHeldBytes: 4 * 1024 * 1024,
  /** Deliveries of a message that is never completed; a queue's `maxAttempts` overrules it. */
  queueAttempts: 10,
  /** The wait before a message is delivered for the second time; a queue's `retryDelay` overrules it. It doubles. */
  queueRetryMs: 1_000,
  /** The longest wait before a message is delivered again. */
  queueRetryLongestMs: 300_000,
  /** Dead letters of one actor: past it the oldest goes. */
  queueDeadLetters: 1_000,
  /** Replies that one actor keeps for senders who ask again: past it the oldest goes. */
  queueReplies: 1_000,

  /** Workflows of one actor that go on. */
  workflowsActive: 1_000,
  /** Workflows of one actor that have ended and are kept: past it the oldest goes, with its history. */
  workflowsEnded: 1_000,
  /** Entries of the history of one workflow; a loop's old rounds don't count. */
  workflowEntries: 10_000,
  /** All of them, encoded: they are in memory while the workflow goes on. */
  workflowHistoryBytes: 64 * 1024 * 1024,
  /** One entry, with the result of its step; an input, or an output. */
  workflowValueBytes: 1024 * 1024,
  /** One attempt at a step; its `timeout` overrules it. As the next four: RivetKit's. */
  workflowStepMs: 30_000,
  /** Attempts behind the first; a step's `maxRetries` overrules it. */
  workflowRetries: 3,
  /** The wait before the second attempt; a step's `retryBackoffBase` overrules it. It doubles. */
  workflowRetryMs: 100,
  /** The longest wait before an attempt; a step's `retryBackoffMax` overrules it. */
  workflowRetryLongestMs: 30_000,
  /** After so many rounds of a loop old ones go, and so many are kept; its `historyPruneInterval` overrules it. */
  workflowLoopRounds: 20,
  /** How soon a workflow whose code doesn't fit its history is tried again. */
  workflowDivergedMs: 300_000,

  /** Awake actors of one host; `setup({ maxAwakeActors })` lowers it. */
  awakeActors: 1_000_000,
  /** What a data directory holds back on its disk, to be able to tidy up when it is full. Bytes. */
  ballastBytes: 1024 * 1024,
  /** Descriptors of an awake actor with a database (4, and 3 while it is closed), and the share of the process's that all of them get. */
  databaseDescriptors: 7,
  databaseDescriptorShare: 0.5,
  /** A process that may have fewer descriptors says so at its start. */
  fewDescriptors: 4_096,
  /** Calls that wait for one actor to wake. */
  waitingForWake: 4_096,
  /** A new activation waits this long for room before `actor.overloaded`. */
  overloadWaitMs: 5_000,
  /** An actor's uninterrupted run past this is named in the log, and so is the decoding of one message. */
  eventLoopStallMs: 100,

  /** Middleware and subscribers of one relay that are registered in one place: globally, or in one scope. */
  relayRegistrations: 1_024,
  /** Events that wait for one subscriber: the default of `queueLimit`. */
  relaySubscriberQueue: 2_048,
  /** The most that `queueLimit` may be. */
  relaySubscriberQueueLongest: 65_536,
  /** Bytes of the events that wait for one subscriber, as `bytesOfEvent` reckons them; a larger event waits alone. */
  relaySubscriberQueueBytes: 32 * 1024 * 1024,
  /** Events of one relay that wait for middleware of events. */
  relayPendingEvents: 4_096,
  /** Their bytes. */
  relayPendingEventBytes: 32 * 1024 * 1024,
  /** Nesting of an event's payload: what is deeper is left out. */
  relayPayloadDepth: 64,
  /** Entries of an event's payload, all levels together: what is more is left out. */
  relayPayloadEntries: 100_000,
  /** One answer of a guardrail or request intercept; a registration's `deadlineMs` overrules it. */
  relayGuardrailMs: 30_000,
  /** One answer of a sanitizer or injector; a registration's `deadlineMs` overrules it. */
  relayEventMiddlewareMs: 5_000,
  /** What the finalizer of a stream may take. */
  relayFinalizerMs: 30_000,
  /** Characters that wait for a file exporter's disk before its subscriber waits too. */
  relayExportBytes: 1024 * 1024,
  ...relayExportLimits,

  /** What the embedded sandboxes of one `agentOS()` run at once, each on a worker, which is a process: file operations, commands. */
  sandboxWorkers: 2,
  /** What takes longer makes room for the next one, and goes on. */
  sandboxLongMs: 2_000,
  /** This many of what takes longer run beside the others: commands with lines of shells, processes. */
  sandboxLongWorkers: 8,
  /** What waits for its turn: file operations, commands with lines of shells, processes. */
  sandboxQueue: 1_024,
  /** A worker that had nothing to do for this long ends. */
  sandboxWorkerIdleMs: 10_000,
  /** What an operation of an embedded sandbox may take of the processor before it takes only what nobody else wants. */
  sandboxPromptSeconds: 1,
  /** What a worker said of its own end, kept for the error. */
  sandboxLastWordsBytes: 2_048,
  /** Default deadline of one command in a sandbox. */
  sandboxExecMs: 60_000,
  /** The longest deadline that a command may be given, and that of a file operation. */
  sandboxExecMaxMs: 300_000,
  /** All files of one sandbox. */
  sandboxFileBytes: 64 * 1024 * 1024,
  /** What a worker may hold in memory by default, beyond one that has no work. */
  sandboxWorkerBytes: 256 * 1024 * 1024,
  /** What the processes of a sandbox may hold in memory by default, each and all together. */
  sandboxMemoryBytes: 1024 * 1024 * 1024,
  /** Files and directories of a sandbox by default. */
  sandboxFiles: 50_000,
  /** Processes and threads of a sandbox by default. */
  sandboxProcesses: 256,
  /** Files that one process of a sandbox has open by default. */
  sandboxOpenFiles: 1_024,
  /** A sandbox of processes must have begun in this time. */
  sandboxStartMs: 30_000,
  /** A sandbox of processes that answers nothing for this time is lost. */
  sandboxAnswerMs: 30_000,
  /** The same, when its actor stops. */
  sandboxLastAnswerMs: 5_000,
  /** While its processes run, a sandbox's files are saved this often. */
  sandboxSaveMs: 2_000,
  /** One message of a sandbox's supervisor, but for the bytes that go with it. */
  sandboxMessageBytes: 8 * 1024 * 1024,
  /** Requests and tunnels of one sandbox that are under way. */
  sandboxRequests: 64,
  /** What one command may print, on stdout and on stderr. Longer output is cut, and says so. */
  sandboxOutputBytes: 512 * 1024,

  /** A sandbox's files as one archive that is exported: what a message has room for. */
  sandboxArchiveBytes: 7 * 1024 * 1024,
  /** Entries of an archive that is imported. */
  sandboxArchiveEntries: 10_000,
  /** Directories in each other of one. */
  sandboxArchiveDepth: 256,
  /** What a link in one leads to, in UTF-8: as Linux has it. */
  sandboxLinkTargetBytes: 4_095,
  /** What one read of `/dev/zero` or `/dev/urandom` gives in an embedded one. */
  sandboxDeviceBytes: 1_048_576,
  /** Snapshots of a sandbox's files that one actor keeps. */
  sandboxSnapshots: 64,
  /** Characters of a snapshot's name. */
  sandboxSnapshotNameLength: 256,
  /** Paths of a snapshot in one message to the workspace that forks it. */
  sandboxSnapshotPaths: 1_000,
  /** Names and values of all variables that an embedded shell keeps from one line to the next: the room that Linux has for them. */
  sandboxVariableBytes: 2 * 1024 * 1024,
  /** Paths of a sandbox that the runtime looks at in one turn, when an operation has changed more. */
  sandboxTurnPaths: 500,
  /** Longest check of what a model sends to a tool of the program's, against its schema; nothing else runs meanwhile. */
  toolArgumentsMs: 100,
  /** Paths of a sandbox that can't be saved, as far as they are named. */
  sandboxUnsavedPaths: 100,
  /** Processes of the embedded sandboxes of one `agentOS()` that run at once, each on a worker. */
  sandboxProcessWorkers: 8,
  /** Processes that one actor may have running. */
  processes: 32,
  /** Processes that have ended and are still known; the oldest are forgotten. */
  processesKept: 64,
  /** The default of all that one process may print; then it is ended. */
  processOutputBytes: 64 * 1024 * 1024,
  /** Output of one process that is kept for who reads it later: its end. */
  processReplayBytes: 1024 * 1024,
  /** Events of output that are kept, however small they are. */
  processReplayEvents: 1_024,
  /** One event of output; longer output is several. */
  processChunkBytes: 64 * 1024,
  /** Events in one answer of `readProcessOutput`. */
  processPageEvents: 256,
  /** Shells that one actor may have open. */
  shells: 16,
  /** A shell that its close doesn't end is ended behind it. */
  shellCloseMs: 2_000,
  /** The width and the height of a terminal, each. Characters. */
  terminalCharacters: 1_000,
  /** Stdin that waits for its process. */
  processStdinBytes: 1024 * 1024,
  /** One request from inside of a sandbox, with all its redirects. */
  networkRequestMs: 30_000,
  /** The answer to a request from inside of a sandbox. */
  networkResponseBytes: 10 * 1024 * 1024,
  /** The answer of a port of a sandbox to `vmFetch`, and a message of one on a WebSocket: what a message has room for. */
  portAnswerBytes: 7 * 1024 * 1024,
  /** Preview URLs of one actor that are good. */
  previews: 128,
  /** A preview URL is good so long, if nothing else is said; and the longest. Seconds. */
  previewDefaultS: 3_600,
  previewLongestS: 86_400,
  /** Redirects that one request follows. */
  networkRedirects: 10,
  /** The id of a cron job of a workspace. Characters. */
  cronJobIdLength: 100,
  /** The share of a limit of a sandbox at which its users are warned. */
  sandboxWarnShare: 0.8,

  /** One message of an agent: a line on its stdout. */
  agentMessageBytes: 4 * 1024 * 1024,
  /** Lines on an agent's stdout that are no messages, before it is given up. */
  agentNoiseLines: 100,
  /** Updates that are read from an agent before the earlier ones are on disk. */
  agentUpdatesUnderWay: 1_000,
  /** What is kept of the end of an agent's stderr, for errors. Bytes. */
  agentStderrBytes: 8 * 1024,
  /** An agent must have answered `initialize` and made its session in this time. */
  agentStartMs: 30_000,
  /** An agent must have ended its turn in this time behind a cancel, else it is ended. */
  agentCancelMs: 10_000,
  /** A policy must have decided on a permission in this time, else it is refused. */
  agentPermissionMs: 120_000,
  /** Terminals that an agent may hold at once. */
  agentTerminals: 32,
  /** Sessions of one actor. */
  sessions: 1_000,
  /** The name of a session. Characters. */
  sessionIdLength: 128,
  /** Events in one answer of `getSessionEvents`. */
  sessionPageEvents: 256,
  /** Bytes of events in one answer of `getSessionEvents`, as JSON; one event goes whatever its size. */
  sessionPageBytes: 512 * 1024,
  /** Events of a session, as JSON, of which a trajectory is made: it is one answer, and leaves as one message. */
  sessionTrajectoryBytes: 4 * 1024 * 1024,
  /** Idempotency keys of prompts that one session remembers; the oldest are forgotten. */
  sessionPromptKeys: 1_000,
  /** An idempotency key of a prompt. Characters. */
  sessionPromptKeyLength: 128,
  /** What an agent that can't load its session is told of the transcript: its end. Characters. */
  sessionHistoryCharacters: 64 * 1024,
  /** Files in one `readFiles` or `writeFiles`. */
  sandboxBatchFiles: 128,
  /** Entries that one `readdirRecursive` gives. */
  sandboxTreeEntries: 10_000,
  /** Live events that a client holds for a reader that is behind; then it reads them from the transcript. */
  sessionTailEvents: 1_024,
  /** The body of a request to a model that a gateway for agents passes on. */
  gatewayModelBodyBytes: 100 * 1024 * 1024,
  /** Of such a body, what events tell, and what a gateway for agents holds where no middleware sees requests: a longer one goes on while it comes. */
  gatewayHeldBodyBytes: 16 * 1024 * 1024,
  /** What a gateway for agents reads of a provider's response, unpacked, for its trace. A longer one is told of by its size. */
  gatewayReadBytes: 4 * 1024 * 1024,
  /** All that is asked about one tool at a gateway for agents; then the answer is no. Shorter than agents wait for a hook (60 s), and `troupe hook` for the gateway (50 s). */
  gatewayHookMs: 45_000,
  /** One chunk of a stream that intercepts go around, or an answer in its place that is no stream: a gateway for agents holds no more of it than that. */
  gatewayChunkCharacters: 32 * 1024 * 1024,
  /** Chunks of a stream whose spelling a gateway for agents remembers until they are back from the stream's intercepts; the oldest are forgotten. */
  gatewayChunksRemembered: 256,
  /** Of all those together, characters in both spellings: a longer chunk is remembered by none. */
  gatewayChunkCharactersRemembered: 8 * 1024 * 1024,
  /** Characters of a `troupe.toml`. */
  configFileBytes: 256 * 1024,

  /** Calls of one actor that the inspector keeps. */
  inspectorCalls: 128,
  /** Actors whose calls the inspector keeps: those that were called last. */
  inspectorActors: 1_024,
  /** Rows, keys or actors on one page of the inspector. */
  inspectorPage: 200,
  /** Actors that one page of a filtered list looks at: the next page goes on there. */
  inspectorScan: 10_000,
  /** Live connections of the inspector. */
  inspectorWatchers: 64,
  /** Bytes that a live connection may leave unread: what comes then is counted, and told as a gap. */
  inspectorLiveBytes: 1024 * 1024,
  /** A live connection looks for what isn't announced (why an actor is awake, who is connected) this often. */
  inspectorLookMs: 500,

  /** MiB of one dynamic actor's isolate: the default of `memoryLimit`. */
  isolateMemoryMb: 64,
  /** MiB that an isolate needs at least: the engine's own least. */
  isolateMemoryLeastMb: 8,
  /** One uninterrupted run in an isolate: the default of `cpuTimeLimitMs`. */
  isolateTimeMs: 1_000,
  /** On a busy machine a run may take so many times its limit, as long as it had less than that of a processor. */
  isolateIdleFactor: 10,
  /** An isolate that was stopped, and had so much of a processor since, can't be stopped: its process ends. */
  isolateStuckMs: 2_000,
  /** How often its process looks whether there is one. */
  isolateLateLookMs: 500,
  /** An entry of an isolate takes no more of a processor than that to be short. */
  isolateShortMs: 0.5,
  /** Short entries until an isolate may be entered on its process's own thread. */
  isolateTrustEntries: 128,
  /** What entries there may take together when they aren't short; then nobody is entered there until it is paid off. */
  isolateLongMs: 50,
  /** The share of the time that goes by which pays it off. */
  isolateLongShare: 0.005,
  /** How often an entry that runs there is looked at: it may be so much longer than its limit. */
  isolateLookMs: 50,
  /** Isolates that are made before anybody needs them. */
  isolatesWaiting: 2,
  /** Timers of one isolate. */
  isolateTimers: 10_000,
  /** The source of a dynamic actor. */
  isolateSourceBytes: 4 * 1024 * 1024,
  /** A dynamic actor whose start has failed twice isn't started for so long; twice as long after each failure more. */
  failedStartWaitMs: 1_000,
  /** It waits no longer than this. */
  failedStartLongestWaitMs: 30_000,
  /** Actors of one definition whose failed starts are known; the one that failed longest ago is forgotten. */
  failedStarts: 10_000,
  /** Bytes for the runtime that wait in the isolate process before its isolates wait too. */
  isolateOutgoingBytes: 4 * 1024 * 1024,
  /** Frames that one isolate has on their way to the runtime; the rest waits for a turn of the runtime's, and the isolate too. */
  isolateFramesPerTurn: 64,
  /** Bytes of those frames. */
  isolateBytesPerTurn: 256 * 1024,
  /** Records of what one isolate said that its process reads before the others have their turn. */
  isolateRecordsAtOnce: 64,
  /** Lines that one isolate says to the log in a second; the rest is counted. */
  isolateLogLinesPerSecond: 256,
  /** Requests of one isolate to the network that have no answer. */
  isolateFetches: 16,
  /** The body of such a request, and that of its answer. */
  isolateFetchBytes: 4 * 1024 * 1024,
  /** Calls of one isolate to its granted folders that have no answer; its own code makes the next ones wait. */
  isolateFileCalls: 16,
  /** Those of all isolates of a runtime that the disk works at: a disk that hangs takes no more of the process's threads for files. */
  isolateFileCallsAtOnce: 2,
  /** A file in a granted folder, as it is read and as it is left behind by a write. */
  isolateFileBytes: 4 * 1024 * 1024,
  /** Entries of a granted folder that are listed. */
  isolateFileEntries: 10_000,
  /** Folders in each other, of a path or of what is removed. */
  isolateFileDepth: 64,
  /** What an isolate and its process say to each other through memory, each way at once; what is longer is copied by the engine. */
  isolateMailboxBytes: 16 * 1024,
  /** A runtime asks its isolate process for a sign of life this often. */
  isolateBeatMs: 1_000,
  /** One that has shown none for so long is frozen: it is killed. */
  isolateSilentMs: 5_000,
  /** What the isolate process said of its own end, kept for the log. */
  isolateLastWordsBytes: 4_096,
  /** An event loop is kept turning for an answer for so long, where that pays (`BusyPoll`). */
  busyPollMs: 0.25,
  /** A thread looks for the next request for so long before it sleeps, where that pays: about what a wake costs. */
  busyLookMs: 0.05,
} as const;

/** The names of all limits. */
export type LimitName = keyof typeof limits;
