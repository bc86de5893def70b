/*
 * A guardrail: refuses tools by their names, "rm" by its answer, and "mv" by an error, which is a rejection as well. Its
 * configuration may be empty or an object; anything else is refused.
 *
 * Kind 12 is the relay's tool_conditional_execution_guardrail. Its payload names the tool, {"toolName":"rm",…}, and its
 * answer is null, or the reason why not.
 */
#include <string.h>

#include "troupe_actor.h"

enum { TOOL_CONDITIONAL = 12 };

static int contains(troupe_bytes text, const char *part) {
  size_t size = strlen(part);
  for (size_t at = 0; at + size <= text.size; at += 1)
    if (memcmp(text.data + at, part, size) == 0) return 1;
  return 0;
}

static void refuse_rm(troupe_call *call, troupe_bytes payload) {
  static const troupe_error rejected = {"relay", "guardrail_rejected", "mv isn't allowed here"};
  if (contains(payload, "\"toolName\":\"mv\"")) {
    troupe_fail(call, rejected);
    return;
  }
  if (contains(payload, "\"toolName\":\"rm\"")) troupe_reply(call, troupe_text("\"rm isn't allowed here\""));
  else troupe_reply(call, troupe_text("null"));
}

static const char *configure(troupe_bytes config) {
  if (config.size == 0 || config.data[0] == '{') return NULL;
  return "the configuration must be a JSON object";
}

static const troupe_middleware middleware[] = {
    {.kind = TOOL_CONDITIONAL, .name = "no-rm", .priority = 10, .run = refuse_rm, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {.name = "guardrail",
                                                    .version = "1.0.0",
                                                    .encoding = TROUPE_JSON,
                                                    .middleware = middleware,
                                                    .configure = configure};
