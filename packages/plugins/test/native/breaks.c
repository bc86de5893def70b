/* A counter that writes more than a frame holds, that can bring its plugin to an end, or that answers late. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../src/troupe_parts.h"
#include "troupe_actor.h"

static void increment(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t count = 0;
  char text[24];
  (void)args;
  troupe_json_integer(troupe_state(c, "count"), TROUPE_ALONE, &count);
  snprintf(text, sizeof text, "%" PRId64, count + 1);
  troupe_set_state(c, "count", troupe_text(text));
  troupe_reply(call, troupe_text(text));
}

static void set_large(troupe_context *c, size_t size) {
  troupe_bytes large = {NULL, size};
  uint8_t *data = malloc(size);
  if (data == NULL) abort();
  memset(data, ' ', size);
  data[0] = '1';
  large.data = data;
  troupe_set_state(c, "count", troupe_text("999"));
  troupe_set_state(c, "large", large);
  free(data);
}

/* More than a frame holds. */
static void swell(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  set_large(c, (size_t)70 << 20);
  troupe_broadcast(c, "never", troupe_text("[]"));
  troupe_reply(call, troupe_text("null"));
}

/* More than a property holds. */
static void grow(troupe_context *c, troupe_call *call, troupe_bytes args) {
  uint8_t *text = malloc((size_t)20 << 20);
  troupe_bytes large = {text, (size_t)20 << 20};
  (void)args;
  if (text == NULL) abort();
  memset(text, '"', large.size);
  memset(text + 1, 'x', large.size - 2);
  troupe_set_state(c, "large", large);
  free(text);
  troupe_reply(call, troupe_text("null"));
}

static void large_start(troupe_context *c, int is_new) {
  (void)is_new;
  set_large(c, (size_t)70 << 20);
}

/* As if there were no memory. */
static void break_it(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)call;
  (void)args;
  queue_break(&c->plugin->queue);
}

static void *answer(void *deferred) {
  struct timespec wait = {0, 300 * 1000000L};
  nanosleep(&wait, NULL);
  troupe_settle(deferred, troupe_text("null"));
  return NULL;
}

static void late(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_error no_thread = {"breaks", "no_thread", "There is no thread for it"};
  pthread_t thread;
  troupe_deferred *deferred = troupe_defer(call);
  (void)c;
  (void)args;
  if (deferred == NULL) return;
  if (pthread_create(&thread, NULL, answer, deferred) == 0) pthread_detach(thread);
  else troupe_reject(deferred, no_thread);
}

static const troupe_action actions[] = {{"increment", increment}, {"swell", swell}, {"grow", grow},
                                        {"break", break_it},      {"late", late},   {NULL, NULL}};
static const troupe_actor actors[] = {
    {.name = "breaks", .actions = actions},
    {.name = "quick", .actions = actions, .flags = TROUPE_QUICK},
    {.name = "hurried", .actions = actions, .options = "{\"actionTimeout\":50}"},
    {.name = "odd", .actions = actions, .options = "{\"actionTimeuot\":50}"},
    {.name = "swollen", .actions = actions, .start = large_start},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "breaks", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors};
