/* A counter that can bring its plugin to an end: it writes more than a frame holds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static const troupe_action actions[] = {{"increment", increment}, {"break", break_it}, {NULL, NULL}};
static const troupe_actor actors[] = {
    {"breaks", actions, NULL, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const troupe_definition troupe_plugin_definition = {"breaks", "1.0.0", TROUPE_JSON, actors, NULL, NULL};
