/**
 * Every name that a program can import of rivetkit 2.3.19 is exported here, or told of in docs/moving-from-rivetkit.md. Types
 * leave nothing at run time, so what is exported is read from the sources of the entries.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const guide = readFileSync(new URL("../../../docs/moving-from-rivetkit.md", import.meta.url), "utf8");

/** RivetKit's names, by the entry that has them here. */
const reference: Readonly<Record<string, string>> = {
  "index.ts": `
    ACTOR_CONTEXT_INTERNAL_SYMBOL ALLOWED_PUBLIC_HEADERS ActionContext ActionContextOf ActionInputSchemas Actions
    ActorConfig ActorConfigInput ActorConfigSchema ActorContext ActorContextOf ActorCron ActorCronEveryOptions
    ActorCronSetOptions ActorDefinition ActorError ActorInspectorConfig ActorInspectorConfigSchema ActorKey ActorKv
    ActorLogger ActorOptions ActorOptionsInput ActorOptionsSchema ActorQuery ActorQueue ActorRun ActorSchedule
    ActorTypes ActorsSchema AnyActorDefinition AnyActorInstance AnyClient AnyConn AnyStaticActorDefinition
    AnyStaticActorInstance AuthIntent BUILTIN_INSPECTOR_TAB_IDS BaseActorDefinition BaseActorInstance
    BeforeActionResponseContext BeforeActionResponseContextOf BeforeConnectContext BeforeConnectContextOf
    BuiltinInspectorTabIdSchema CONN_DRIVER_SYMBOL CONN_STATE_MANAGER_SYMBOL Client Conn ConnContextOf
    ConnInitContextOf ConnectContext ConnectContextOf CreateConnStateContext CreateConnStateContextOf CreateContext
    CreateContextOf CreateVarsContext CreateVarsContextOf CronFire CronJobInfo CustomInspectorTabEntrySchema
    DEFAULT_SLEEP_GRACE_PERIOD DefineRunHandlerOptions DestroyContext DestroyContextOf DisconnectContext
    DisconnectContextOf DocActorConfigSchema DocActorOptionsSchema DocConfigurePoolSchema DocEnvoyConfigSchema
    DocRegistryConfigSchema DocServerlessConfigSchema DocSqliteConfigSchema Encoding EventSchemaConfig FetchHandler
    GlobalActorOptions GlobalActorOptionsInput GlobalActorOptionsSchema HideInspectorTabEntrySchema InferEventArgs
    InferSchemaMap InlineWebSocketAdapter InspectorTabEntrySchema InspectorUnsubscribe InstanceActorOptions
    InstanceActorOptionsInput InstanceActorOptionsSchema MigrateContext MigrateContextOf QueueEnqueueAndWaitOptions
    QueueFilterName QueueIterOptions QueueMessageOf QueueName QueueNextBatchOptions QueueNextOptions
    QueueResultMessageForName QueueSchemaConfig QueueTryNextBatchOptions QueueTryNextOptions QueueWaitOptions
    RAW_STATE_SYMBOL Registry RegistryActors RegistryApplication RegistryConfig RegistryConfigInput
    RegistryConfigSchema RegistryDeps RegistryListenOptions RegistryRoutes RequestContext RequestContextOf
    RivetCloseEvent RivetError RivetErrorLike RivetErrorOptions RivetEvent RivetMessageEvent RunConfig
    RunConfigSchema RunContext RunContextOf RunControl RunInspectorConfig RunInspectorFactoryContext
    RunInspectorFactoryResult RunInspectorKind RunWithInactiveOptions RuntimeKind RuntimeKindSchema
    ScheduledEventInfo ScheduledFireInfo ServerlessHandler SleepContext SleepContextOf SqliteBackend
    SqliteBackendSchema SqliteConfig SqliteConfigSchema StateChangeContext StateChangeContextOf TestConfig
    TestConfigSchema Type UniversalErrorEvent UniversalEvent UniversalEventSource UniversalMessageEvent
    UniversalWebSocket UserError UserErrorOptions WakeContext WakeContextOf WasmRuntimeBindings WasmRuntimeConfig
    WasmRuntimeConfigSchema WasmRuntimeInitInput WebSocketContext WebSocketContextOf WorkflowBranchContextOf
    WorkflowContextOf WorkflowInspectorConfig WorkflowLoopContextOf WorkflowOutcome WorkflowSpan
    WorkflowStepContextOf WorkflowStepOutcome WorkflowStepSpan actor buildActorNames createClientWithDriver
    defineRunHandler disposeRunInspector event getRunFunction getRunInspectorConfig getRunMetadata
    isStaticActorDefinition isStaticActorInstance lookupInRegistry noopNext queue setup test toUint8Array
  `,
  "client.ts": `
    ActorAccessor ActorActionFunction ActorActionOptions ActorClientError ActorConn ActorConnDisposed ActorConnRaw
    ActorConnStatus ActorConnectOptions ActorDefinition ActorError ActorGatewayOptions ActorHandle ActorHandleRaw
    AnyActorDefinition Client ClientConfigInput ClientRaw ConnectionStateCallback CreateOptions CreateRequest
    Encoding EventUnsubscribe ExtractActorsFromRegistry ExtractRegistryFromClient GetOptions GetWithIdOptions
    MalformedResponseMessage ManagerError QueryOptions Region RivetError StatusChangeCallback UserError createClient
  `,
  "workflow.ts": `
    Loop TryBlockCatchKind TryBlockConfig TryBlockFailure TryBlockResult TryStepCatchKind TryStepConfig
    TryStepFailure TryStepResult WorkflowBranchConfig WorkflowBranchContextOf WorkflowContext WorkflowContextOf
    WorkflowError WorkflowErrorEvent WorkflowLoopConfig WorkflowLoopContextOf WorkflowOptions WorkflowStepConfig
    WorkflowStepContext WorkflowStepContextOf WorkflowTryConfig WorkflowTryStepConfig workflow
  `,
  "test.ts": `
    SetupTestResult setupTest
  `,
  "db.ts": `
    AnyDatabaseProvider DatabaseProvider DatabaseProviderContext InferDatabaseClient NativeDatabaseProvider
    RawAccess RawDatabaseClient SqliteBindings SqliteDatabase SqliteNativeMetrics SqliteProfilingOptions
    SqliteQueryResult SqliteTransactionOptions db
  `,
  "db/drizzle.ts": `
    DrizzleDatabaseFactoryConfig SQLiteTable alias check db defineConfig foreignKey index integer primaryKey
    sqliteTable sqliteTableCreator text unique uniqueIndex
  `,
  "dynamic.ts": `
    DynamicActorConfig DynamicActorDefinition DynamicActorLoadContext DynamicActorLoader DynamicActorSource
    dynamicActor
  `,
};

/** What an entry exports, under the names that importers use. */
function exportedBy(entry: string): Set<string> {
  const source = readFileSync(new URL(`../src/${entry}`, import.meta.url), "utf8");
  const lists = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
    list.split(","),
  );
  return new Set(
    lists.map((each) =>
      each
        .trim()
        .replace(/^type /, "")
        .replace(/^.* as /, ""),
    ),
  );
}

function isTold(name: string): boolean {
  // One row is for all schemas of Zod.
  return (
    name.endsWith("Schema") ||
    [`\`${name}\``, `\`${name}(`, `\`${name}<`].some((code) => guide.includes(code))
  );
}

test.each(Object.entries(reference))(
  "every name of RivetKit's %s is ours as well, or is told of",
  (entry, names) => {
    const exported = exportedBy(entry);
    const missing = names
      .trim()
      .split(/\s+/)
      .filter((name) => !(exported.has(name) || isTold(name)));
    expect(missing).toEqual([]);
  },
);
