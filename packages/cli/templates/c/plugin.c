/* Refuses one tool by its name. */
#include <stdlib.h>
#include <string.h>

#include "troupe_around.h"
#include "troupe_value.h"

/* Whether the call is of that tool: what its arguments say is another question. */
static int is_tool(troupe_bytes call, const char *name) {
  troupe_bytes tool;
  troupe_reader reader;
  troupe_value value;
  if (troupe_member(call, "toolName", &tool) != 0) return 0;
  troupe_read(&reader, tool);
  if (troupe_next(&reader, &value) != 0 || value.kind != TROUPE_TEXT) return 0;
  return value.bytes.size == strlen(name) && memcmp(value.bytes.data, name, value.bytes.size) == 0;
}

/* Answers null, or the reason why not. */
static void refuse_rm(troupe_call *call, troupe_bytes payload) {
  static const troupe_error no_memory = {"user", "no_memory", "there is no memory for the answer"};
  static const troupe_value null = {.kind = TROUPE_NULL};
  troupe_writer answer = {0};
  if (is_tool(payload, "rm")) troupe_put_text(&answer, "rm isn't allowed here");
  else troupe_put(&answer, &null);
  /* A guardrail that fails lets nothing pass. */
  if (answer.failed) troupe_fail(call, no_memory);
  else troupe_reply(call, (troupe_bytes){answer.data, answer.size});
  free(answer.data);
}

static const troupe_middleware middleware[] = {
    {.kind = TROUPE_TOOL_CONDITIONAL, .name = "no-rm", .run = refuse_rm, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "__ID__", .version = "0.1.0", .encoding = TROUPE_CBOR, .middleware = middleware};
