/* A counter: state that survives, an event for who listens, and an error that its caller can read. */
#include <inttypes.h>
#include <stdio.h>

#include "troupe_actor.h"

static int64_t count_of(troupe_context *c) {
  int64_t count = 0;
  troupe_json_integer(troupe_state(c, "count"), TROUPE_ALONE, &count);
  return count;
}

static void get(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_reply(call, troupe_state(c, "count"));
}

static void increment(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_error not_a_number = {"user", "not_a_number", "increment takes an integer"};
  int64_t by = 0, count = count_of(c);
  int is_integer = troupe_json_integer(args, 0, &by) == 0;
  if (!is_integer || (by > 0 ? count > INT64_MAX - by : count < INT64_MIN - by)) {
    troupe_fail(call, not_a_number);
    return;
  }
  char text[24], list[28];
  snprintf(text, sizeof text, "%" PRId64, count + by);
  snprintf(list, sizeof list, "[%s]", text);
  troupe_set_state(c, "count", troupe_text(text));
  troupe_broadcast(c, "changed", troupe_text(list));
  troupe_reply(call, troupe_text(text));
}

static void start(troupe_context *c, int is_new) {
  if (is_new) troupe_set_state(c, "count", troupe_text("0"));
}

static const troupe_action actions[] = {{"get", get}, {"increment", increment}, {NULL, NULL}};
static const char *const events[] = {"changed", NULL};
static const troupe_actor actors[] = {
    {.name = "counter", .actions = actions, .events = events, .start = start, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "counter", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors};
