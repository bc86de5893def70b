/* A counter that can bring its plugin to an end, and one that answers later than its own options allow. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static void break_it(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_bytes large = {NULL, (size_t)70 << 20};
  uint8_t *data = calloc(1, large.size);
  (void)args;
  if (data == NULL) abort();
  large.data = data;
  troupe_set_state(c, "count", troupe_text("999"));
  troupe_set_state(c, "large", large);
  free(data);
  troupe_reply(call, troupe_text("null"));
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

static const troupe_action actions[] = {{"increment", increment}, {"break", break_it}, {"late", late}, {NULL, NULL}};
static const troupe_actor actors[] = {
    {"breaks", actions, NULL, NULL, NULL, NULL},
    {"hurried", actions, NULL, "{\"actionTimeout\":50}", NULL, NULL},
    {"odd", actions, NULL, "{\"actionTimeuot\":50}", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const troupe_definition troupe_plugin_definition = {"breaks", "1.0.0", TROUPE_JSON, actors, NULL, NULL};
