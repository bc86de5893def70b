/* A counter, a guardrail and an exporter: one of each that a plugin may bring. Values are CBOR (troupe_value.h). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "troupe_around.h"
#include "troupe_host.h"
#include "troupe_value.h"

static const troupe_error no_memory = {"user", "no_memory", "there is no memory for the answer"};

static void reply(troupe_call *call, troupe_writer *answer) {
  if (answer->failed) troupe_fail(call, no_memory);
  else troupe_reply(call, (troupe_bytes){answer->data, answer->size});
  free(answer->data);
}

/* The counter: state that survives, an event for who listens, and an error that its caller can read. */

static int64_t count_of(troupe_context *c) {
  int64_t count = 0;
  troupe_whole(troupe_state(c, "count"), &count);
  return count;
}

static void get(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_writer answer = {0};
  (void)args;
  troupe_put_integer(&answer, count_of(c));
  reply(call, &answer);
}

static void increment(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const troupe_error not_a_number = {"user", "not_a_number", "increment takes an integer"};
  troupe_bytes first;
  int64_t by = 0, count = count_of(c);
  const int is_integer = troupe_element(args, 0, &first) == 0 && troupe_whole(first, &by) == 0;
  if (!is_integer || (by > 0 ? count > INT64_MAX - by : count < INT64_MIN - by)) {
    troupe_fail(call, not_a_number);
    return;
  }
  troupe_writer answer = {0}, list = {0};
  troupe_put_integer(&answer, count + by);
  troupe_put_list(&list, 1);
  troupe_put_integer(&list, count + by);
  if (!answer.failed && !list.failed) {
    troupe_set_state(c, "count", (troupe_bytes){answer.data, answer.size});
    troupe_broadcast(c, "changed", (troupe_bytes){list.data, list.size});
  }
  free(list.data);
  reply(call, &answer);
}

/* The guardrail: answers null, or the reason why not; an error is a rejection as well. */
static void refuse(troupe_call *call, troupe_bytes payload) {
  static const troupe_error rejected = {"relay", "guardrail_rejected", "mv isn't allowed here"};
  static const troupe_error no_tool = {"user", "no_tool", "the payload names no tool"};
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
  reply(call, &answer);
}

/* The exporter: hears every event of the host's relay, and writes a line for each call that has ended. */
static void export_event(troupe_call *call, troupe_bytes event) {
  static const troupe_value null = {.kind = TROUPE_NULL};
  troupe_bytes part, name;
  troupe_reader reader;
  troupe_value text;
  troupe_writer answer = {0};
  char line[200];
  const int ended = troupe_member(event, "scope_category", &part) == 0 && troupe_says(part, "end");
  if (ended && troupe_member(event, "name", &name) == 0) {
    troupe_read(&reader, name);
    if (troupe_next(&reader, &text) == 0 && text.kind == TROUPE_TEXT && text.bytes.size < sizeof line - 8) {
      size_t size = (size_t)snprintf(line, sizeof line, "ended: ");
      for (size_t at = 0; at < text.bytes.size; at += 1) line[size++] = (char)text.bytes.data[at];
      line[size] = 0;
      troupe_log(troupe_plugin_of(call), TROUPE_INFO, line);
    }
  }
  troupe_put(&answer, &null);
  reply(call, &answer);
}

/* The configuration is JSON text, or nothing. */
static const char *configure(troupe_bytes config) {
  if (config.size == 0 || config.data[0] == '{') return NULL;
  return "the configuration must be a JSON object";
}

static const troupe_action actions[] = {{"get", get}, {"increment", increment}, {NULL, NULL}};
static const char *const events[] = {"changed", NULL};
static const troupe_actor actors[] = {
    {.name = "counter", .actions = actions, .events = events},
    {.name = NULL},
};
static const troupe_middleware middleware[] = {
    {.kind = TROUPE_TOOL_CONDITIONAL, .name = "no-rm", .run = refuse, .flags = TROUPE_QUICK},
    {.kind = TROUPE_SUBSCRIBER, .name = "lines", .run = export_event, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {.name = "__ID__",
                                                    .version = "0.1.0",
                                                    .encoding = TROUPE_CBOR,
                                                    .actors = actors,
                                                    .middleware = middleware,
                                                    .configure = configure};
