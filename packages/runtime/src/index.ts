export type { SocketCloseEvent, SocketEvent, SocketMessageEvent, UniversalWebSocket } from "@troupe/client";
export type { CarriedNeed } from "./actor/behaviour.ts";
export {
  type CarriedDefinition,
  type CarriedOptions,
  carriedActor,
  carriedActorFrom,
} from "./actor/carried/definition.ts";
export type { CarriedAuth, CarriedCaller } from "./actor/carried/entry-auth.ts";
export type { HostOptions } from "./actor/carried/host-options.ts";
export { startBytes } from "./actor/carried/start-words.ts";
export type {
  AnyDatabase,
  DatabaseClientOf,
  DatabaseDeclaration,
  DatabaseOptions,
} from "./actor/database.ts";
export { db } from "./actor/database.ts";
export type { ActorDefinition, AnyActorDefinition } from "./actor/definition.ts";
export { actor } from "./actor/definition.ts";
export type { Migration } from "./actor/migrations.ts";
export type { ActorOptions } from "./actor/options.ts";
export type { CallGuard, CallGuards } from "./actor/types/access.ts";
export type { ActorLogger, LogMethod } from "./actor/types/actor-log.ts";
export type { ActorTypes, Types } from "./actor/types/bag.ts";
export type { ActionTree, ActorConfig, RunConfig } from "./actor/types/config.ts";
export type {
  ActorContext,
  AwakeReason,
  Conn,
  ConnContext,
  CreateContext,
  CreateStateContext,
  RequestContext,
  SaveStateOptions,
} from "./actor/types/context.ts";
export type {
  ActionContextOf,
  ActorContextOf,
  BeforeActionResponseContextOf,
  BeforeConnectContextOf,
  ConnContextOf,
  ConnectContextOf,
  ConnInitContextOf,
  ConnOf,
  CreateConnStateContextOf,
  CreateContextOf,
  CreateStateContextOf,
  CreateVarsContextOf,
  DestroyContextOf,
  DisconnectContextOf,
  MigrateContextOf,
  RequestContextOf,
  RunContextOf,
  ScheduleOf,
  SleepContextOf,
  StateChangeContextOf,
  StateOf,
  WakeContextOf,
  WebSocketContextOf,
} from "./actor/types/contexts-of.ts";
export type {
  BatchStatement,
  Database,
  DatabaseAccess,
  RawDatabase,
  SqlRow,
  TransactionOptions,
} from "./actor/types/database.ts";
export type { EventArgs, EventDeclaration, EventDeclarations, EventOptions } from "./actor/types/event.ts";
export { event } from "./actor/types/event.ts";
export type {
  ActorKv,
  KvKey,
  KvKeyType,
  KvListOptions,
  KvTypes,
  KvValue,
  KvValueOptions,
  KvValueType,
} from "./actor/types/kv.ts";
export type {
  ActorQueue,
  CompletableMessage,
  DeadLetter,
  DeadLetterQueue,
  MessageOf,
  QueueDeclaration,
  QueueDeclarations,
  QueueEnqueueAndWaitOptions,
  QueueIterOptions,
  QueueMessageOf,
  QueueName,
  QueueNextBatchOptions,
  QueueNextOptions,
  QueueOptions,
  QueueTryNextBatchOptions,
  QueueTryNextOptions,
  QueueWaitOptions,
  ReplyOf,
} from "./actor/types/queue.ts";
export { queue } from "./actor/types/queue.ts";
export type { ActorCalls, LlmChunks, ToolCode } from "./actor/types/relay.ts";
export type { RuntimeSocketAddress } from "./actor/types/runtime-socket.ts";
export type {
  ActorCron,
  ActorCronEveryOptions,
  ActorCronSetOptions,
  CronFire,
  CronJobInfo,
  CronPolicies,
  MissedRunPolicy,
  OverlapPolicy,
  RetryPolicy,
  Schedule,
  ScheduledCall,
  ScheduledFailure,
  ScheduledFireInfo,
  ScheduleFailure,
  ScheduleSetOptions,
} from "./actor/types/schedule.ts";
export type {
  ActionInputSchemas,
  SchemaIssue,
  StandardResult,
  StandardSchema,
} from "./actor/types/standard-schema.ts";
export type {
  ActorWorkflows,
  LoopResult,
  TryBlockCatchKind,
  TryBlockConfig,
  TryBlockResult,
  TryStepConfig,
  TryStepResult,
  WorkflowBranchConfig,
  WorkflowBranchContextOf,
  WorkflowChildOptions,
  WorkflowContext,
  WorkflowContextOf,
  WorkflowInfo,
  WorkflowLoopConfig,
  WorkflowLoopContextOf,
  WorkflowOptions,
  WorkflowQueueNextBatchOptions,
  WorkflowQueueNextOptions,
  WorkflowStartOptions,
  WorkflowStepConfig,
  WorkflowStepContext,
  WorkflowStepContextOf,
  WorkflowsOf,
  WorkflowTryConfig,
  WorkflowTryStepConfig,
} from "./actor/types/workflow.ts";
export { Loop, workflow } from "./actor/workflow.ts";
export type { WorkflowRun } from "./actor/workflow-run.ts";
export type { NamespaceSummary } from "./engine/catalogue.ts";
export type { AccessConfig } from "./gateway/access.ts";
export type { AppFetch } from "./gateway/app.ts";
export type { InspectorConfig } from "./inspector/config.ts";
export { askForBackup, type BackupQuestionOptions } from "./node/ask-backup.ts";
export type { NodeRegistry as Registry } from "./node/node-registry.ts";
export { setup } from "./node/setup.ts";
export type { SetupTestOptions } from "./node/setup-test.ts";
export { setupTest } from "./node/setup-test.ts";
export { backupFolder, type FolderBackup } from "./node/sqlite/backup/backup-folder.ts";
export { type FolderRestore, restoreFolder } from "./node/sqlite/backup/restore-folder.ts";
export { examineData } from "./node/sqlite/doctor/examine-data.ts";
export { type GiveUpOptions, giveUpLost, type LostActor } from "./node/sqlite/doctor/give-up-lost.ts";
export { type DataSalvage, type SalvagedData, salvageData } from "./node/sqlite/doctor/salvage-data.ts";
export type { DamagedActor, SalvagedShard } from "./node/sqlite/doctor/salvage-shard.ts";
export type { BackupOptions, BackupProgress, BackupSummary } from "./ports/backup.ts";
export type {
  ActorCarrier,
  ActorEar,
  ActorLine,
  ActorSaying,
  ActorWord,
  CarriedActivationInfo,
  CarriedDeclaration,
  CarrierRequest,
  CarrierSource,
  OpenCarrier,
  OpenCarrierSource,
} from "./ports/carried.ts";
export type { NamedPluginView, PluginNaming, PluginSet, PluginView } from "./ports/plugin-set.ts";
export type { CallerRateLimit, RateLimit, RateLimits } from "./rate-limit/rate-limits.ts";
export type { RegistryConfig } from "./registry/config.ts";
export type { HostProcesses } from "./registry/host-processes.ts";
export type { Durability, StartOptions } from "./registry/platform.ts";
export type { ProgramHost, ProgramHostOptions } from "./registry/program-host.ts";
export type { Server } from "./registry/registry.ts";
export type { RuntimeChoice, RuntimeKind, SqlPlace } from "./registry/runtime-choice.ts";
export type { ServerlessPool } from "./remote/allocator.ts";
export type { DrainOptions } from "./remote/drain-options.ts";
export type { DrainedHosts } from "./remote/drained-hosts.ts";
export type { HostsConfig, HostToken } from "./remote/host-tokens.ts";
export type { RemoteDefinition } from "./remote/remote-actor.ts";
export { remoteActor } from "./remote/remote-actor.ts";
export type { RemoteHostSummary, RemoteHosts } from "./remote/remote-hosts.ts";
export type { CrashPoint } from "./testing/crashing-storage.ts";
export type { Leak } from "./testing/errors.ts";
export { testErrors } from "./testing/errors.ts";
export type { TestActor, TestClock, TestScope, TestSetup } from "./testing/test-setup.ts";
export type { RelaySetting } from "./traced/tracing.ts";
export type { EntryKind as WorkflowEntryKind } from "./workflow/entry.ts";
export type { WorkflowErrorEvent } from "./workflow/events.ts";
export {
  type BlockFailure as TryBlockFailure,
  CriticalError,
  RollbackError,
  type StepFailure as TryStepFailure,
  type StepFailureKind as TryStepCatchKind,
  type WorkflowError,
} from "./workflow/failure.ts";
