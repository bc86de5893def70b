/*
 * Calls that wait for what they asked the host.
 *
 * A question takes its call from the function that asks, and `then` gets it back: so a call is in one place at a time, and
 * asks one thing at a time. What is waited for stands in a table, by its kind and number. The host's thread takes it out when
 * it hears the answer, or when nobody will answer: either way once, under the lock, and `then` runs as a job of the call's lane.
 *
 * An actor that is told to stop ends behind its last call that waits: its stop, the lane's last job, leaves the end to that
 * one when there is any. The answers come as ever. When the host's patience is over it says Stop once more, or says that the
 * actor is lost: then the calls have an error in place of an answer.
 */
#include "troupe_around.h"
#include "troupe_parts.h"

struct troupe_wait {
  troupe_job job;
  troupe_wait *next;
  uint32_t kind;
  uint64_t number;
  troupe_call call;
  troupe_then then;
  void *data;
  const troupe_error *error; /* why there is no answer */
  uint32_t what;             /* the field that the answer came in */
  uint8_t *heard;            /* the answer, and room for the texts of an error */
  size_t size;
  uint8_t scope[];
};

const troupe_error next_revoked = {"plugin", "next_revoked", "The call is over: nobody waits for it any more"};
static const troupe_error actor_ended = {"actor", "stopped", "The actor has ended"};

int waits_open(troupe_waits *waits) { return pthread_mutex_init(&waits->lock, NULL); }

void waits_free(troupe_plugin *plugin) {
  end_exchanges(plugin, 0);
  forget_cancelled(plugin, 0, 0);
  pthread_mutex_destroy(&plugin->waits.lock);
}

static char *put_term(char *room, troupe_bytes text, const char **term) {
  *term = room;
  if (text.size > 0) memcpy(room, text.data, text.size);
  room[text.size] = 0;
  return room + text.size + 1;
}

/* The texts of an error, ended by 0, in room that is as long as the error and three more. */
static void read_error(troupe_bytes whole, char *room, troupe_error *error) {
  troupe_bytes texts[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
  wire_reader reader = wire_read(whole);
  while (wire_next(&reader))
    if (reader.field <= 3) texts[reader.field - 1] = reader.bytes;
  room = put_term(room, texts[0], &error->group);
  room = put_term(room, texts[1], &error->code);
  put_term(room, texts[2], &error->message);
}

/* Where each kind of answer has its value and its error. */
static void read_answer(const troupe_wait *wait, troupe_outcome *outcome, troupe_error *error) {
  uint32_t value = wait->kind == WAIT_HOST ? 2 : 3;
  uint32_t failed = wait->kind == WAIT_NEXT ? 4 : 3;
  outcome->whole.data = wait->heard;
  outcome->whole.size = wait->size;
  if (wait->kind == WAIT_ANSWER) failed = 2;
  outcome->ended = wait->kind == WAIT_CHUNK && wait->what == FRAME_CHUNK_END;
  if (wait->kind == WAIT_CHUNK && !outcome->ended) failed = 0;
  wire_reader reader = wire_read(outcome->whole);
  while (wire_next(&reader)) {
    /* SQL's is in a field of its own. */
    if (wait->kind == WAIT_ANSWER ? reader.field == 4 || reader.field == 5 : reader.field == value)
      outcome->value = reader.bytes;
    if (wait->kind == WAIT_NEXT && reader.field == 5 && reader.number != 0) outcome->stream = wait->number;
    if (reader.field != failed) continue;
    outcome->whole_error = reader.bytes;
    outcome->error = error;
    read_error(reader.bytes, (char *)wait->heard + wait->size, error);
  }
  if (outcome->error == NULL && !outcome->ended) return;
  outcome->value.size = 0;
  outcome->stream = 0;
}

/* Gives the call back, and forgets what it waited for. */
static void run_then(troupe_wait *wait) {
  troupe_outcome outcome;
  troupe_error error;
  memset(&outcome, 0, sizeof outcome);
  if (wait->call.facts.lane != NULL) queue_wait(&wait->call.to.plugin->queue);
  if (wait->error != NULL) outcome.error = wait->error;
  else read_answer(wait, &outcome, &error);
  if (wait->call.context != NULL) wait->call.context->failed = 0;
  wait->then(&wait->call, wait->data, &outcome);
  finish_call(&wait->call);
  free(wait->heard);
  free(wait);
}

int waits_let_go(troupe_context *c) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  c->waiting -= 1;
  const int last = c->waiting == 0 && c->stops_later;
  pthread_mutex_unlock(&waits->lock);
  return last;
}

static int run_wait(troupe_job *job) {
  troupe_wait *wait = (troupe_wait *)job;
  troupe_context *c = wait->call.context;
  run_then(wait);
  if (c == NULL || !waits_let_go(c)) return 0;
  run_stop(c);
  return 1;
}

int waits_before_stop(troupe_context *c) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  c->stops_later = c->waiting > 0;
  const int later = c->stops_later;
  pthread_mutex_unlock(&waits->lock);
  return later;
}

void waits_ending(troupe_context *c) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  c->next = waits->ending;
  waits->ending = c;
  pthread_mutex_unlock(&waits->lock);
}

void waits_gone(troupe_context *c) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  troupe_context **at = &waits->ending;
  while (*at != NULL && *at != c) at = &(*at)->next;
  if (*at != NULL) *at = c->next;
  pthread_mutex_unlock(&waits->lock);
}

void waits_lose(troupe_plugin *plugin, uint64_t instance) {
  troupe_waits *waits = &plugin->waits;
  pthread_mutex_lock(&waits->lock);
  troupe_context *c = waits->ending;
  while (c != NULL && c->instance != instance) c = c->next;
  /* Also a call of it that runs just now has nothing to ask. */
  if (c != NULL) c->ended = 1;
  pthread_mutex_unlock(&waits->lock);
  waits_revoke(plugin, instance, 0, NULL);
}

static void deliver(troupe_wait *wait) {
  troupe_lane *lane = wait->call.facts.lane;
  wait->job.run = run_wait;
  wait->job.bytes = wait->size;
  if (lane == NULL || lanes_add(&wait->call.to.plugin->lanes, lane, &wait->job, 1) != JOB_ADDED) run_wait(&wait->job);
}

static void run_failed(troupe_call *call, troupe_then then, void *data, const troupe_error *error) {
  troupe_outcome outcome;
  troupe_call again = *call;
  memset(&outcome, 0, sizeof outcome);
  outcome.error = error;
  again.answered = 0;
  then(&again, data, &outcome);
  finish_call(&again);
}

/* Under the lock: why nothing may be asked, or NULL and it is in the table. */
static const troupe_error *enter(troupe_waits *waits, troupe_wait *wait) {
  if (waits->closed) return &closing;
  if (wait->call.context != NULL && wait->call.context->ended) return &actor_ended;
  if (wait->number == 0) wait->number = waits->last += 1;
  troupe_wait **bucket = &waits->waiting[wait->number % WAIT_BUCKETS];
  wait->next = *bucket;
  *bucket = wait;
  if (wait->call.context != NULL) wait->call.context->waiting += 1;
  return NULL;
}

uint64_t wait_begin(troupe_call *call, uint32_t kind, uint64_t number, troupe_then then, void *data) {
  int left = leave_call(call, kind == WAIT_ANSWER && call->to.sink == NULL);
  troupe_waits *waits = &call->to.plugin->waits;
  size_t scope = call->facts.scope.size;
  troupe_wait *wait = left == 0 ? calloc(1, sizeof *wait + scope) : NULL;
  if (wait == NULL) {
    run_failed(call, then, data, left == TROUPE_TOO_LONG ? &too_long : &no_memory);
    return 0;
  }
  wait->kind = kind;
  wait->number = number;
  wait->call = *call;
  wait->call.answered = 0;
  wait->then = then;
  wait->data = data;
  if (scope > 0) memcpy(wait->scope, call->facts.scope.data, scope);
  wait->call.facts.scope.data = wait->scope;
  pthread_mutex_lock(&waits->lock);
  const troupe_error *refused = enter(waits, wait);
  uint64_t given = wait->number;
  pthread_mutex_unlock(&waits->lock);
  if (refused == NULL) return given;
  wait->error = refused;
  run_then(wait);
  return 0;
}

/* Out of the table; NULL: it isn't there. */
static troupe_wait *take(troupe_waits *waits, uint32_t kind, uint64_t number) {
  pthread_mutex_lock(&waits->lock);
  troupe_wait **at = &waits->waiting[number % WAIT_BUCKETS];
  while (*at != NULL && ((*at)->number != number || (*at)->kind != kind)) at = &(*at)->next;
  troupe_wait *found = *at;
  if (found != NULL) *at = found->next;
  pthread_mutex_unlock(&waits->lock);
  return found;
}

void wait_said(troupe_plugin *plugin, uint32_t kind, uint64_t number, int status) {
  if (status == 0) return;
  troupe_wait *wait = take(&plugin->waits, kind, number);
  if (wait == NULL) return;
  wait->error = status == TROUPE_TOO_LONG ? &too_long : &no_memory;
  deliver(wait);
}

void wait_heard(troupe_plugin *plugin, uint32_t kind, uint32_t what, wire_reader message) {
  troupe_bytes whole = {message.at, (size_t)(message.end - message.at)};
  uint32_t named = kind == WAIT_NEXT || kind == WAIT_CHUNK ? 2 : 1;
  uint64_t number = 0;
  while (wire_next(&message))
    if (message.field == named) number = message.number;
  /* Nonsense breaks nothing: it answers nobody. */
  troupe_wait *wait = message.bad ? NULL : take(&plugin->waits, kind, number);
  if (wait == NULL) return;
  wait->what = what;
  wait->heard = malloc(whole.size * 2 + 3);
  if (wait->heard == NULL) wait->error = &no_memory;
  else if (whole.size > 0) memcpy(wait->heard, whole.data, wait->size = whole.size);
  deliver(wait);
}

static int is_of(const troupe_wait *wait, uint64_t instance, uint64_t call) {
  return wait->call.to.instance == instance && (call == 0 || wait->call.to.call == call);
}

/* All that are of it, or with NULL all there are, in a list. */
static troupe_wait *take_all(troupe_waits *waits, const uint64_t *instance, uint64_t call) {
  troupe_wait *taken = NULL;
  for (size_t bucket = 0; bucket < WAIT_BUCKETS; bucket += 1)
    for (troupe_wait **at = &waits->waiting[bucket]; *at != NULL;) {
      troupe_wait *wait = *at;
      if (instance != NULL && !is_of(wait, *instance, call)) {
        at = &wait->next;
        continue;
      }
      *at = wait->next;
      wait->next = taken;
      taken = wait;
    }
  return taken;
}

/* Nothing more is asked for any of these. */
static void end_contexts(troupe_wait *taken) {
  for (; taken != NULL; taken = taken->next)
    if (taken->call.context != NULL) taken->call.context->ended = 1;
}

static void fail_all(troupe_wait *taken, const troupe_error *error) {
  while (taken != NULL) {
    troupe_wait *wait = taken;
    taken = wait->next;
    wait->error = error;
    deliver(wait);
  }
}

void waits_revoke(troupe_plugin *plugin, uint64_t instance, uint64_t call, const troupe_error *error) {
  troupe_waits *waits = &plugin->waits;
  pthread_mutex_lock(&waits->lock);
  troupe_wait *taken = take_all(waits, &instance, call);
  if (error == NULL) end_contexts(taken);
  pthread_mutex_unlock(&waits->lock);
  fail_all(taken, error == NULL ? &actor_ended : error);
}

void waits_close(troupe_plugin *plugin) {
  troupe_waits *waits = &plugin->waits;
  pthread_mutex_lock(&waits->lock);
  waits->closed = 1;
  troupe_wait *taken = take_all(waits, NULL, 0);
  pthread_mutex_unlock(&waits->lock);
  fail_all(taken, &closing);
  stop_sinks(plugin, NULL, 0);
  end_exchanges(plugin, 0);
}

/* A call that runs, and that nobody waits for. */
struct troupe_cancelled {
  troupe_cancelled *next;
  uint64_t instance;
  uint64_t call;
};

void note_cancelled(troupe_plugin *plugin, uint64_t instance, uint64_t call) {
  troupe_waits *waits = &plugin->waits;
  troupe_cancelled *one = malloc(sizeof *one);
  /* Without memory it isn't told. */
  if (one == NULL) return;
  one->instance = instance;
  one->call = call;
  pthread_mutex_lock(&waits->lock);
  one->next = waits->cancelled;
  waits->cancelled = one;
  pthread_mutex_unlock(&waits->lock);
  atomic_fetch_add(&waits->cancels, 1);
}

void forget_cancelled(troupe_plugin *plugin, uint64_t instance, uint64_t call) {
  troupe_waits *waits = &plugin->waits;
  if (atomic_load(&waits->cancels) == 0) return;
  pthread_mutex_lock(&waits->lock);
  for (troupe_cancelled **at = &waits->cancelled; *at != NULL;) {
    troupe_cancelled *one = *at;
    if ((instance != 0 || call != 0) && (one->instance != instance || (call != 0 && one->call != call))) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    free(one);
    atomic_fetch_sub(&waits->cancels, 1);
  }
  pthread_mutex_unlock(&waits->lock);
}

int troupe_aborted(const troupe_call *call) {
  troupe_waits *waits = &call->to.plugin->waits;
  int found = call->context != NULL && atomic_load(&call->context->stopping);
  if (found || atomic_load(&waits->cancels) == 0) return found;
  pthread_mutex_lock(&waits->lock);
  for (const troupe_cancelled *one = waits->cancelled; one != NULL && !found; one = one->next)
    found = one->instance == call->to.instance && one->call == call->to.call;
  pthread_mutex_unlock(&waits->lock);
  return found;
}
