/*
 * An actor whose functions wait for each other across actors: at gates, numbered, which this library's plugins share. Who
 * passes a gate closes it behind itself. The same plugin as sdks/rust/examples/lanes.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_actor.h"

#define GATES 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int open_gates[GATES];
/* At which the next start waits. */
static int64_t next_start;

static const troupe_error no_gate = {"lanes", "no_gate", "There is no such gate"};
static const troupe_error refused = {"lanes", "refused", "Not this one"};

static int gate_of(troupe_bytes args, int64_t *gate) {
  return troupe_json_integer(args, 0, gate) == 0 && *gate > 0 && *gate < GATES ? 0 : -1;
}

static void pass(int64_t gate) {
  pthread_mutex_lock(&lock);
  while (!open_gates[gate]) pthread_cond_wait(&opened, &lock);
  open_gates[gate] = 0;
  pthread_mutex_unlock(&lock);
}

/* Opens it. */
static void let(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t gate;
  (void)c;
  if (gate_of(args, &gate) != 0) {
    troupe_fail(call, no_gate);
    return;
  }
  pthread_mutex_lock(&lock);
  open_gates[gate] = 1;
  pthread_cond_broadcast(&opened);
  pthread_mutex_unlock(&lock);
  troupe_reply(call, troupe_text("null"));
}

/* Waits at it, and says so before. */
static void wait_at(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t gate;
  char text[24];
  if (gate_of(args, &gate) != 0) {
    troupe_fail(call, no_gate);
    return;
  }
  troupe_broadcast(c, "waiting", troupe_text("[]"));
  pass(gate);
  snprintf(text, sizeof text, "%" PRId64, gate);
  troupe_reply(call, troupe_text(text));
}

static void hold_start(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t gate;
  (void)c;
  if (gate_of(args, &gate) != 0) {
    troupe_fail(call, no_gate);
    return;
  }
  pthread_mutex_lock(&lock);
  next_start = gate;
  pthread_mutex_unlock(&lock);
  troupe_reply(call, troupe_text("null"));
}

/* Answers when a start waits there. */
static void start_held(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  pthread_mutex_lock(&lock);
  while (next_start != 0) pthread_cond_wait(&opened, &lock);
  pthread_mutex_unlock(&lock);
  troupe_reply(call, troupe_text("null"));
}

typedef struct {
  troupe_deferred *call;
  int64_t gate;
} waiting;

static void *answer_behind(void *data) {
  waiting later = *(waiting *)data;
  char text[24];
  free(data);
  pass(later.gate);
  snprintf(text, sizeof text, "%" PRId64, later.gate);
  troupe_settle(later.call, troupe_text(text));
  return NULL;
}

/* Answers behind it, while the actor goes on. */
static void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t gate;
  pthread_t thread;
  if (gate_of(args, &gate) != 0) {
    troupe_fail(call, no_gate);
    return;
  }
  troupe_set_state(c, "deferred", troupe_text("true"));
  troupe_deferred *deferred = troupe_defer(call);
  waiting *data = malloc(sizeof *data);
  if (deferred == NULL || data == NULL) abort();
  data->call = deferred;
  data->gate = gate;
  if (pthread_create(&thread, NULL, answer_behind, data) != 0) abort();
  pthread_detach(thread);
}

/* Counts, and says so. */
static void count(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t sum = 0;
  char text[24], list[28];
  (void)args;
  troupe_json_integer(troupe_state(c, "count"), TROUPE_ALONE, &sum);
  snprintf(text, sizeof text, "%" PRId64, sum + 1);
  snprintf(list, sizeof list, "[%s]", text);
  troupe_set_state(c, "count", troupe_text(text));
  troupe_broadcast(c, "counted", troupe_text(list));
  troupe_reply(call, troupe_text(text));
}

/* A property of so many characters: fill(at, size). */
static void fill(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t at = 0, size = 0;
  char name[24];
  if (troupe_json_integer(args, 0, &at) != 0 || troupe_json_integer(args, 1, &size) != 0 || size < 0) {
    troupe_fail(call, no_gate);
    return;
  }
  uint8_t *text = malloc((size_t)size + 2);
  if (text == NULL) abort();
  memset(text, 'x', (size_t)size + 2);
  text[0] = text[size + 1] = '"';
  troupe_bytes value = {text, (size_t)size + 2};
  snprintf(name, sizeof name, "p%" PRId64, at);
  troupe_set_state(c, name, value);
  free(text);
  troupe_reply(call, troupe_text("null"));
}

/* The characters of the first properties: size(count). */
static void size_of(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t rows = 0, sum = 0;
  char text[24];
  troupe_json_integer(args, 0, &rows);
  for (int64_t at = 0; at < rows; at += 1) {
    snprintf(text, sizeof text, "p%" PRId64, at);
    troupe_bytes value = troupe_state(c, text);
    if (value.size >= 2) sum += (int64_t)value.size - 2;
  }
  snprintf(text, sizeof text, "%" PRId64, sum);
  troupe_reply(call, troupe_text(text));
}

/* Never returns, and never waits. */
static void spin(troupe_context *c, troupe_call *call, troupe_bytes args) {
  volatile unsigned rounds = 0;
  (void)call;
  (void)args;
  troupe_broadcast(c, "counted", troupe_text("[0]"));
  for (;;) rounds += 1;
}

static void start(troupe_context *c, int is_new) {
  pthread_mutex_lock(&lock);
  int64_t gate = next_start;
  next_start = 0;
  pthread_cond_broadcast(&opened);
  pthread_mutex_unlock(&lock);
  if (gate > 0) pass(gate);
  if (is_new) troupe_set_state(c, "count", troupe_text("0"));
}

static const troupe_error *accept_most(troupe_bytes params) {
  static const char unwelcome[] = "\"unwelcome\"";
  return params.size == sizeof unwelcome - 1 && memcmp(params.data, unwelcome, params.size) == 0 ? &refused : NULL;
}

static void guard(troupe_call *call, troupe_bytes payload) {
  int64_t gate;
  if (gate_of(payload, &gate) == 0) pass(gate);
  troupe_reply(call, payload);
}

static const troupe_action actions[] = {
    {"let", let},     {"waitAt", wait_at}, {"holdStart", hold_start}, {"later", later},
    {"count", count}, {"fill", fill},      {"size", size_of},         {"spin", spin},            {"startHeld", start_held},
    {NULL, NULL},
};
static const char *const events[] = {"counted", "waiting", NULL};
static const troupe_actor actors[] = {
    {.name = "lanes", .actions = actions, .events = events, .start = start, .accept = accept_most},
    {.name = NULL},
};
static const troupe_middleware middleware[] = {
    {.kind = 12, .name = "slow", .run = guard},
    {.kind = 12, .name = "other", .run = guard},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "lanes", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors, .middleware = middleware};
