/* The kit's second plugin in C: it goes around calls. */
#include "troupe_around.h"

#include <stdlib.h>
#include <string.h>

#include "troupe_value.h"

static int is_text(troupe_bytes value, const char *text) {
  troupe_reader reader;
  troupe_value item;
  troupe_read(&reader, value);
  return troupe_next(&reader, &item) == 0 && item.kind == TROUPE_TEXT && item.bytes.size == strlen(text) &&
         memcmp(item.bytes.data, text, item.bytes.size) == 0;
}

static troupe_bytes member(troupe_bytes object, const char *name) {
  troupe_bytes value = {NULL, 0};
  troupe_member(object, name, &value);
  return value;
}

static void pass(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  troupe_pass(call, outcome);
}

static void again(troupe_call *call, void *data, const troupe_outcome *outcome) {
  if (outcome->error != NULL) troupe_pass(call, outcome);
  else troupe_call_next(call, member(outcome->value, "result"), pass, data);
}

static void twice(troupe_call *call, troupe_bytes payload) {
  const troupe_bytes name = member(payload, "toolName");
  if (is_text(name, "none")) {
    troupe_writer answer = {0};
    troupe_put_object(&answer, 1);
    troupe_put_text(&answer, "result");
    troupe_put_text(&answer, "not run");
    const troupe_bytes value = {answer.data, answer.size};
    troupe_reply(call, value);
    free(answer.data);
    return;
  }
  troupe_call_next(call, member(payload, "args"), is_text(name, "twice") ? again : pass, NULL);
}

/* A chunk of the rest, and "!"; then the end, and no more. */
typedef struct {
  uint64_t rest;
  int over;
} loud;

static void reply_text(troupe_call *call, const char *text, size_t size) {
  troupe_writer answer = {0};
  const troupe_value said = {.kind = TROUPE_TEXT, .bytes = {(const uint8_t *)text, size}};
  troupe_put(&answer, &said);
  const troupe_bytes value = {answer.data, answer.size};
  troupe_reply(call, value);
  free(answer.data);
}

static void louder(troupe_call *call, void *data, const troupe_outcome *outcome) {
  loud *stream = data;
  troupe_reader reader;
  troupe_value item;
  char text[64];
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    return;
  }
  if (outcome->ended) {
    stream->over = 1;
    reply_text(call, "the end", 7);
    return;
  }
  troupe_read(&reader, outcome->value);
  if (troupe_next(&reader, &item) != 0 || item.kind != TROUPE_TEXT || item.bytes.size >= sizeof text) return;
  memcpy(text, item.bytes.data, item.bytes.size);
  text[item.bytes.size] = '!';
  reply_text(call, text, item.bytes.size + 1);
}

static void chunk(troupe_call *call, void *data) {
  loud *stream = data;
  if (stream->over) troupe_end(call);
  else troupe_read_chunk(call, stream->rest, louder, stream);
}

static void answer_stream(troupe_call *call, void *data, const troupe_outcome *outcome) {
  static const troupe_source source = {chunk, free};
  (void)data;
  loud *stream = outcome->stream == 0 ? NULL : calloc(1, sizeof *stream);
  if (stream == NULL) {
    troupe_pass(call, outcome);
    return;
  }
  stream->rest = outcome->stream;
  troupe_reply_stream(call, &source, stream);
}

static void stream_louder(troupe_call *call, troupe_bytes payload) {
  troupe_call_next(call, member(payload, "request"), answer_stream, NULL);
}

static const troupe_middleware middleware[] = {
    {.kind = TROUPE_TOOL_EXECUTION, .name = "twice", .run = twice},
    {.kind = TROUPE_LLM_STREAM, .name = "louder", .run = stream_louder, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "around", .version = "1.0.0", .encoding = TROUPE_CBOR, .middleware = middleware};
