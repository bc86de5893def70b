/*
 * A guardrail: refuses tools by their names, "rm" by its answer, and "mv" by an error, which is a rejection as well. Its
 * configuration may be empty or an object; anything else is refused.
 *
 * The payload of the kind is an object that names the tool, { toolName, … }, and the answer is null, or the reason why not.
 */
#include <stdlib.h>

#include "troupe_around.h"
#include "troupe_value.h"

static void refuse_rm(troupe_call *call, troupe_bytes payload) {
  static const troupe_error no_tool = {"user", "no_tool", "the payload names no tool"};
  static const troupe_error no_memory = {"user", "no_memory", "there is no memory for the answer"};
  static const troupe_error rejected = {"relay", "guardrail_rejected", "mv isn't allowed here"};
  static const troupe_value null = {.kind = TROUPE_NULL};
  troupe_writer answer = {0};
  troupe_bytes tool;
  /* A guardrail that fails lets nothing pass. */
  if (troupe_member(payload, "toolName", &tool) != 0) {
    troupe_fail(call, no_tool);
    return;
  }
  if (troupe_says(tool, "mv")) {
    troupe_fail(call, rejected);
    return;
  }
  if (troupe_says(tool, "rm")) troupe_put_text(&answer, "rm isn't allowed here");
  else troupe_put(&answer, &null);
  if (answer.failed) troupe_fail(call, no_memory);
  else troupe_reply(call, (troupe_bytes){answer.data, answer.size});
  free(answer.data);
}

static const char *configure(troupe_bytes config) {
  if (config.size == 0 || config.data[0] == '{') return NULL;
  return "the configuration must be a JSON object";
}

static const troupe_middleware middleware[] = {
    {.kind = TROUPE_TOOL_CONDITIONAL, .name = "no-rm", .priority = 10, .run = refuse_rm, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {.name = "guardrail",
                                                    .version = "1.0.0",
                                                    .encoding = TROUPE_CBOR,
                                                    .middleware = middleware,
                                                    .configure = configure};
