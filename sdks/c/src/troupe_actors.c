/* Starts, calls and stops actors, and calls middleware. Quick ones in place; others as jobs of their lanes. */
#include <stddef.h>

#include "troupe_parts.h"

typedef struct {
  troupe_job job;
  troupe_context *context; /* NULL: of middleware */
  const troupe_action *action;
  const troupe_middleware *middleware;
  troupe_deferred to;
  call_facts facts;
  size_t size;
  uint8_t payload[]; /* and the scope */
} call_job;

static const troupe_error cancelled = {"actor", "aborted", "Nobody waits for the call any more"};
const troupe_error overloaded = {"actor", "overloaded", "Too many calls wait; try again later"};
static const troupe_error no_thread = {"plugin", "no_thread", "The plugin has no thread for it"};
const troupe_error no_memory = {"plugin", "no_memory", "The plugin has no memory for it"};
const troupe_error closing = {"plugin", "closed", "The plugin is closing"};

/* StopReasons. Broken: nothing that the actor says leaves any more. */
enum { STOP_SLEEP = 1, STOP_BROKEN = 4 };

static int named(troupe_bytes name, const char *text) {
  return strlen(text) == name.size && (name.size == 0 || memcmp(text, name.data, name.size) == 0);
}

static int is_quick(const troupe_context *c) { return (c->actor->flags & TROUPE_QUICK) != 0; }

static troupe_context **find_instance(troupe_plugin *plugin, uint64_t instance) {
  troupe_context **at = &plugin->instances[instance % BUCKETS];
  while (*at != NULL && (*at)->instance != instance) at = &(*at)->next;
  return at;
}

static void run_start(troupe_context *c) {
  c->failed = 0;
  if (c->actor->start != NULL) c->actor->start(c, c->is_new);
  if (!c->refused && write_rows(c) == TROUPE_TOO_LONG) troupe_fail_start(c, too_long);
  c->started = !c->refused;
  say(c->plugin, c->instance, SAY_STARTED, c->refused ? &c->refusal : NULL);
}

void run_stop(troupe_context *c) {
  c->failed = 0;
  if (c->started && c->actor->stop != NULL) c->actor->stop(c);
  if (c->started) clients_leave(c);
  /* Of one that didn't start nothing is stored. */
  if (c->started && write_rows(c) == TROUPE_TOO_LONG)
    say_log(c->plugin, c->instance, "What an actor wrote in its stop is more than a frame holds");
  say(c->plugin, c->instance, SAY_STOPPED, NULL);
  forget_cancelled(c->plugin, c->instance, 0);
  waits_gone(c);
  free_context(c);
}

static void run_call(const call_job *work, troupe_bytes args) {
  troupe_call call = {work->context, work->to, work->facts, 0};
  work->context->failed = 0;
  work->action->run(work->context, &call, args);
  finish_call(&call);
}

static void run_middleware(const call_job *work, troupe_bytes payload) {
  troupe_call call = {NULL, work->to, work->facts, 0};
  work->middleware->run(&call, payload);
  finish_call(&call);
}

static int start_job(troupe_job *job) {
  troupe_context *c = (troupe_context *)((char *)job - offsetof(troupe_context, first_job));
  queue_wait(&c->plugin->queue);
  if (lanes_closing(&c->plugin->lanes)) troupe_fail_start(c, closing);
  else run_start(c);
  return 0;
}

static int stop_job(troupe_job *job) {
  troupe_context *c = (troupe_context *)((char *)job - offsetof(troupe_context, last_job));
  if (waits_before_stop(c)) return 0;
  queue_wait(&c->plugin->queue);
  run_stop(c);
  return 1;
}

static int call_run_job(troupe_job *job) {
  call_job *work = (call_job *)job;
  troupe_plugin *plugin = work->to.plugin;
  troupe_bytes payload = {work->payload, work->size};
  queue_wait(&plugin->queue);
  if (lanes_closing(&plugin->lanes)) refuse_call(&work->to, closing);
  else if (work->context == NULL) run_middleware(work, payload);
  else if (work->context->started) run_call(work, payload);
  else refuse_call(&work->to, work->context->refusal);
  free(job);
  return 0;
}

/* The actor's last job. In place when no thread can be had: then its lane has no other. */
static void add_stop(troupe_context *c) {
  c->last_job.run = stop_job;
  if (lanes_add(&c->plugin->lanes, &c->lane, &c->last_job, 1) != JOB_ADDED && !waits_before_stop(c))
    run_stop(c);
}

/* A call for its lane; `like` says everything but the payload. */
static void add_call(troupe_lane *lane, const call_job *like, troupe_bytes payload) {
  const troupe_bytes scope = like->facts.scope;
  call_job *work = malloc(sizeof *work + payload.size + scope.size);
  if (work == NULL) {
    refuse_call(&like->to, no_memory);
    return;
  }
  *work = *like;
  work->job.run = call_run_job;
  work->job.bytes = sizeof *work + payload.size + scope.size;
  work->job.number = like->to.call;
  work->size = payload.size;
  if (payload.size > 0) memcpy(work->payload, payload.data, payload.size);
  if (scope.size > 0) memcpy(work->payload + payload.size, scope.data, scope.size);
  work->facts.scope.data = work->payload + payload.size;
  work->facts.lane = lane;
  int status = lanes_add(&like->to.plugin->lanes, lane, &work->job, 0);
  if (status == JOB_ADDED) return;
  free(work);
  refuse_call(&like->to, status == JOB_FULL ? overloaded : no_thread);
}

static void start_when_whole(troupe_context *c) {
  rows_known(c);
  if (is_quick(c)) {
    run_start(c);
    return;
  }
  c->first_job.run = start_job;
  if (lanes_add(&c->plugin->lanes, &c->lane, &c->first_job, 1) == JOB_ADDED) return;
  troupe_fail_start(c, no_thread);
  say(c->plugin, c->instance, SAY_STARTED, &c->refusal);
}

static int load_row(troupe_context *c, wire_reader row) {
  troupe_bytes name = {NULL, 0}, value = {NULL, 0};
  uint64_t space = 0;
  while (wire_next(&row)) {
    if (row.field == 1) space = row.number;
    if (row.field == 2) name = row.bytes;
    if (row.field == 4) value = row.bytes;
  }
  if (row.bad) return -1;
  return space == SPACE_STATE && put_row(c, name, value) == NULL ? -1 : 0;
}

static const troupe_actor *find_actor(wire_reader start) {
  while (wire_next(&start)) {
    if (start.field != 9) continue;
    const troupe_actor *actor = troupe_plugin_definition.actors;
    for (; actor != NULL && actor->name != NULL; actor += 1)
      if (named(start.bytes, actor->name)) return actor;
  }
  return NULL;
}

int start_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  troupe_context **at = find_instance(plugin, instance);
  const troupe_actor *actor = find_actor(message);
  if (instance == 0 || *at != NULL || actor == NULL) return -1;
  troupe_context *c = calloc(1, sizeof *c);
  if (c == NULL) return -1;
  c->plugin = plugin;
  c->actor = actor;
  c->instance = instance;
  *at = c;
  int more = 0;
  const wire_reader whole = message;
  while (wire_next(&message)) {
    if (message.field == 6) c->is_new = message.number != 0;
    if (message.field == 10) more = message.number != 0;
    if (message.field == 8 && load_row(c, wire_read(message.bytes)) != 0) return -1;
  }
  if (message.bad || keep_about(c, whole) != 0) return -1;
  c->arriving = more;
  if (!more) start_when_whole(c);
  return 0;
}

int more_rows(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  troupe_context *c = *find_instance(plugin, instance);
  int last = 0;
  if (c == NULL || !c->arriving) return 0;
  while (wire_next(&message)) {
    if (message.field == 2) last = message.number != 0;
    if (message.field == 1 && load_row(c, wire_read(message.bytes)) != 0) return -1;
    if (message.field == 3 && stayed_client(c, wire_read(message.bytes)) != 0) return -1;
  }
  if (message.bad) return -1;
  c->arriving = !last;
  if (last) start_when_whole(c);
  return 0;
}

int call_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  call_job call;
  troupe_bytes name = {NULL, 0}, args = {NULL, 0};
  memset(&call, 0, sizeof call);
  call.to.plugin = plugin;
  call.to.instance = instance;
  while (wire_next(&message)) {
    if (message.field == 1) call.to.call = message.number;
    if (message.field == 2) name = message.bytes;
    if (message.field == 3) args = message.bytes;
    if (message.field == 4) call.facts.connection = message.number;
    if (message.field == 6) call.facts.timeout_ms = (uint32_t)message.number;
    if (message.field == 11) call.facts.depth = (uint32_t)message.number;
    if (message.field == 12) call.facts.scope = message.bytes;
    if (message.field == 13) call.facts.message = message.number;
    if (message.field == 14) call.facts.attempt = (uint32_t)message.number;
  }
  if (message.bad) return -1;
  troupe_context *c = *find_instance(plugin, instance);
  /* Stopped already: what crossed its last word on the way is nobody's. */
  if (c == NULL || c->arriving) return 0;
  const troupe_action *action = call.facts.message == 0 ? c->actor->actions : c->actor->queues;
  while (action != NULL && action->name != NULL && !named(name, action->name)) action += 1;
  troupe_error unknown = {"actor", "action_not_found", "The plugin has no such action"};
  call.context = c;
  call.action = action;
  if (action == NULL || action->name == NULL || action->run == NULL) refuse_call(&call.to, unknown);
  else if (!is_quick(c)) add_call(&c->lane, &call, args);
  else if (c->started) run_call(&call, args);
  else refuse_call(&call.to, c->refusal);
  return 0;
}

/* One that hasn't begun, and won't. */
static void drop_job(troupe_job *job) {
  if (job != NULL && (job->number & REQUEST_CALL) != 0) drop_request(job);
  else free(job);
}

int cancel_call(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  uint64_t call = 0;
  while (wire_next(&message))
    if (message.field == 1) call = message.number;
  if (message.bad) return -1;
  if (instance != 0 && call != 0) cancel_number(plugin, instance, call);
  return 0;
}

void cancel_number(troupe_plugin *plugin, uint64_t instance, uint64_t call) {
  troupe_context *c = *find_instance(plugin, instance);
  /* What runs isn't stopped, but told; what waits is, also while its actor ends. */
  troupe_job *job = c == NULL ? NULL : lanes_cancel(&plugin->lanes, &c->lane, call);
  if (job == NULL) note_cancelled(plugin, instance, call);
  drop_job(job);
  stop_sinks(plugin, &instance, call);
  waits_revoke(plugin, instance, call, &cancelled);
}

int cancel_middleware(troupe_plugin *plugin, wire_reader message) {
  const troupe_middleware *one = troupe_plugin_definition.middleware;
  troupe_job *job = NULL;
  uint64_t call = 0;
  while (wire_next(&message))
    if (message.field == 1) call = message.number;
  if (message.bad) return -1;
  for (size_t at = 0; call > 0 && job == NULL && one != NULL && one[at].name != NULL; at += 1)
    job = lanes_cancel(&plugin->lanes, &plugin->middleware_lanes[at], call);
  free(job);
  if (call == 0) return 0;
  const uint64_t middleware = 0;
  stop_sinks(plugin, &middleware, call);
  waits_revoke(plugin, 0, call, &next_revoked);
  return 0;
}

/* Nobody answers its questions any more. */
static void end_waits(troupe_context *c) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  c->ended = 1;
  pthread_mutex_unlock(&waits->lock);
  waits_revoke(c->plugin, c->instance, 0, NULL);
}

int stop_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  troupe_context **at = find_instance(plugin, instance);
  troupe_context *c = *at;
  uint64_t reason = 0;
  while (wire_next(&message))
    if (message.field == 1) reason = message.number;
  if (message.bad) return -1;
  if (c == NULL) {
    /* Said once more: its time is over, and what it still waits for is nobody's. */
    if (instance != 0) waits_lose(plugin, instance);
    return 0;
  }
  *at = c->next;
  waits_ending(c);
  c->sleeps = reason == STOP_SLEEP;
  atomic_store(&c->stopping, 1);
  end_exchanges(plugin, instance);
  stop_sinks(plugin, &instance, 0);
  if (reason == STOP_BROKEN) end_waits(c);
  if (!is_quick(c)) add_stop(c);
  else if (!waits_before_stop(c)) run_stop(c);
  return 0;
}

int client_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message) {
  troupe_context *c = *find_instance(plugin, instance);
  return c == NULL ? 0 : heard_client(c, what, message);
}

int socket_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message) {
  troupe_context *c = *find_instance(plugin, instance);
  return c == NULL || c->arriving ? 0 : heard_socket(c, what, message);
}

int request_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message) {
  troupe_context *c = *find_instance(plugin, instance);
  return c == NULL || c->arriving ? 0 : heard_request(c, what, message);
}

int call_middleware(troupe_plugin *plugin, wire_reader message) {
  call_job call;
  troupe_bytes name = {NULL, 0}, payload = {NULL, 0};
  uint64_t kind = 0;
  memset(&call, 0, sizeof call);
  call.to.plugin = plugin;
  while (wire_next(&message)) {
    if (message.field == 1) call.to.call = message.number;
    if (message.field == 2) name = message.bytes;
    if (message.field == 3) kind = message.number;
    if (message.field == 4) payload = message.bytes;
    if (message.field == 5) call.facts.timeout_ms = (uint32_t)message.number;
    if (message.field == 6) call.facts.scope = message.bytes;
  }
  if (message.bad) return -1;
  const troupe_middleware *one = troupe_plugin_definition.middleware;
  for (size_t at = 0; one != NULL && one[at].name != NULL; at += 1) {
    if (one[at].kind != kind || !named(name, one[at].name)) continue;
    call.middleware = &one[at];
    if ((one[at].flags & TROUPE_QUICK) != 0) run_middleware(&call, payload);
    else add_call(&plugin->middleware_lanes[at], &call, payload);
    return 0;
  }
  troupe_error undeclared = {"plugin", "undeclared", "The plugin has no such middleware"};
  refuse_call(&call.to, undeclared);
  return 0;
}

/* Of a quick one: else its lane alone knows. */
static int has_last_words(const troupe_context *c) {
  return c->started && (c->actor->stop != NULL || c->clients != NULL);
}

void stop_actors(troupe_plugin *plugin) {
  for (size_t bucket = 0; bucket < BUCKETS; bucket += 1)
    while (plugin->instances[bucket] != NULL) {
      troupe_context *c = plugin->instances[bucket];
      plugin->instances[bucket] = c->next;
      /* On a thread even when it is quick: what is slow at the end doesn't keep close from its time. */
      if (is_quick(c) && !has_last_words(c) && !waits_before_stop(c)) free_context(c);
      else add_stop(c);
    }
}
