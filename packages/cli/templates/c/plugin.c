/* Refuses one tool by its name. */
#include <string.h>

#include "troupe_actor.h"

/* The relay's tool_conditional_execution_guardrail: it answers null, or the reason why not. */
enum { TOOL_CONDITIONAL = 12 };

static int contains(troupe_bytes text, const char *part) {
  size_t size = strlen(part);
  for (size_t at = 0; at + size <= text.size; at += 1)
    if (memcmp(text.data + at, part, size) == 0) return 1;
  return 0;
}

static void refuse_rm(troupe_call *call, troupe_bytes payload) {
  if (contains(payload, "\"toolName\":\"rm\"")) troupe_reply(call, troupe_text("\"rm isn't allowed here\""));
  else troupe_reply(call, troupe_text("null"));
}

static const troupe_middleware middleware[] = {
    {.kind = TOOL_CONDITIONAL, .name = "no-rm", .run = refuse_rm, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "__ID__", .version = "0.1.0", .encoding = TROUPE_JSON, .middleware = middleware};
