/* The kit's third plugin in C: it asks its host. `toolName` says for what. Each question is a line of steps: `go` has one of
 * them, and comes again with what came of it. */
#include <stdlib.h>
#include <string.h>

#include "troupe_around.h"
#include "troupe_host.h"
#include "troupe_value.h"

typedef struct {
  char id[64];
  char propagation[512];
} made;

typedef struct asked {
  void (*go)(troupe_call *call, struct asked *asked, troupe_bytes answer);
  int step;
  made scopes[3];
  size_t size;
  uint8_t args[]; /* the tool's */
} asked;

static troupe_plugin *host;
static made left;

static troupe_bytes member(troupe_bytes object, const char *name) {
  troupe_bytes value = {NULL, 0};
  troupe_member(object, name, &value);
  return value;
}

static void read_text(troupe_bytes value, char *text, size_t room) {
  troupe_reader reader;
  troupe_value item;
  troupe_read(&reader, value);
  text[0] = 0;
  if (troupe_next(&reader, &item) != 0 || item.kind != TROUPE_TEXT || item.bytes.size >= room) return;
  memcpy(text, item.bytes.data, item.bytes.size);
  text[item.bytes.size] = 0;
}

static made read_made(troupe_bytes answer) {
  made scope;
  read_text(member(answer, "scope"), scope.id, sizeof scope.id);
  read_text(member(answer, "propagation"), scope.propagation, sizeof scope.propagation);
  return scope;
}

static void then(troupe_call *call, void *data, const troupe_outcome *outcome) {
  asked *question = data;
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    free(question);
  } else {
    question->go(call, question, outcome->value);
  }
}

/* An object of texts: names and values in turn, up to NULL. */
static void put_texts(troupe_writer *object, const char *const *texts) {
  size_t count = 0;
  while (texts[count] != NULL) count += 1;
  troupe_put_object(object, count / 2);
  for (size_t at = 0; at < count; at += 1) troupe_put_text(object, texts[at]);
}

static void ask_with(troupe_call *call, troupe_question what, troupe_writer *object, asked *question) {
  const troupe_bytes bytes = {object->data, object->size};
  question->step += 1;
  troupe_ask(call, what, bytes, then, question);
  free(object->data);
}

static void ask(troupe_call *call, troupe_question what, const char *const *texts, asked *question) {
  troupe_writer object = {0};
  put_texts(&object, texts);
  ask_with(call, what, &object, question);
}
#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* `{ result }`; the end of the question. */
static void done(troupe_call *call, asked *question, troupe_writer *result) {
  troupe_writer answer = {0};
  const troupe_value null = {.kind = TROUPE_NULL};
  const troupe_bytes value = {result == NULL ? NULL : result->data, result == NULL ? 0 : result->size};
  troupe_put_object(&answer, 1);
  troupe_put_text(&answer, "result");
  if (result == NULL) troupe_put(&answer, &null);
  else troupe_put_encoded(&answer, value);
  const troupe_bytes bytes = {answer.data, answer.size};
  troupe_reply(call, bytes);
  free(answer.data);
  free(question);
}

static void done_with(troupe_call *call, asked *question, troupe_bytes result) {
  troupe_writer writer = {0};
  troupe_put_encoded(&writer, result);
  done(call, question, &writer);
  free(writer.data);
}

/* Behind the first `text` of a JSON text; NULL: it isn't there. */
static const char *behind(const char *json, const char *text) {
  size_t size = strlen(text), length = strlen(json);
  for (size_t at = 0; at + size <= length; at += 1)
    if (memcmp(json + at, text, size) == 0) return json + at + size;
  return NULL;
}

/* A member of a propagation value, JSON text, that is a text. */
static void put_json_member(troupe_writer *object, const char *name, const char *json, const char *as) {
  const char *at = behind(json, name);
  char text[64] = "";
  if (at != NULL) at = behind(at, "\"");
  for (size_t size = 0; at != NULL && size < sizeof text - 1 && at[size] != '"' && at[size] != 0; size += 1) text[size] = at[size];
  troupe_put_text(object, as);
  troupe_put_text(object, text);
}

static void put_propagation(troupe_writer *object, const char *json) {
  const troupe_value null = {.kind = TROUPE_NULL};
  if (json[0] == 0) {
    troupe_put(object, &null);
    return;
  }
  troupe_put_object(object, 3);
  troupe_put_text(object, "version");
  troupe_put_number(object, 1);
  put_json_member(object, "\"root_uuid\"", json, "rootUuid");
  put_json_member(object, "\"parent_uuid\"", json, "parentUuid");
}

static void mark(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  (void)answer;
  if (question->step > 0) {
    done(call, question, NULL);
    return;
  }
  troupe_put_object(&object, 4);
  troupe_put_text(&object, "name");
  troupe_put_text(&object, "seen");
  troupe_put_text(&object, "data");
  troupe_put_object(&object, 1);
  troupe_put_text(&object, "n");
  troupe_put_number(&object, 1);
  troupe_put_text(&object, "severity");
  troupe_put_text(&object, "warn");
  troupe_put_text(&object, "metadata");
  put_texts(&object, TEXTS("a", "b"));
  ask_with(call, TROUPE_MARK, &object, question);
}

static void metric(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  const troupe_bytes value = {question->args, question->size};
  (void)answer;
  if (question->step > 0) {
    done(call, question, NULL);
    return;
  }
  troupe_put_object(&object, 2);
  troupe_put_text(&object, "name");
  troupe_put_text(&object, "size");
  troupe_put_text(&object, "measurements");
  troupe_put_list(&object, 1);
  troupe_put_object(&object, 4);
  for (const char *const *text = TEXTS("name", "bytes", "kind", "gauge", "valueType", "u64", "value"); *text; text += 1)
    troupe_put_text(&object, *text);
  troupe_put_encoded(&object, value);
  ask_with(call, TROUPE_METRIC, &object, question);
}

static void scope(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  made *inner = &question->scopes[0];
  switch (question->step) {
    case 0:
      troupe_put_object(&object, 4);
      for (const char *const *text = TEXTS("name", "inner", "scopeType", "function", "input", "in", "metadata"); *text; text += 1)
        troupe_put_text(&object, *text);
      troupe_put_object(&object, 1);
      troupe_put_text(&object, "a");
      troupe_put_number(&object, 1);
      ask_with(call, TROUPE_PUSH_SCOPE, &object, question);
      return;
    case 1:
      *inner = read_made(answer);
      ask(call, TROUPE_MARK, TEXTS("name", "within", "scope", inner->id), question);
      return;
    case 2:
      ask(call, TROUPE_POP_SCOPE, TEXTS("scope", inner->id, "output", "out"), question);
      return;
    default:
      put_propagation(&object, inner->propagation);
      done(call, question, &object);
      free(object.data);
  }
}

static void failed(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  const troupe_value error = {.kind = TROUPE_ERROR, .count = 2};
  if (question->step == 0) {
    ask(call, TROUPE_PUSH_SCOPE, TEXTS("name", "failed", "scopeType", "function"), question);
    return;
  }
  if (question->step == 2) {
    done(call, question, NULL);
    return;
  }
  const made pushed = read_made(answer);
  troupe_put_object(&object, 2);
  troupe_put_text(&object, "scope");
  troupe_put_text(&object, pushed.id);
  troupe_put_text(&object, "error");
  troupe_put(&object, &error);
  for (const char *const *text = TEXTS("name", "RangeError", "message", "too far"); *text; text += 1)
    troupe_put_text(&object, *text);
  ask_with(call, TROUPE_POP_SCOPE, &object, question);
}

static void leave(troupe_call *call, asked *question, troupe_bytes answer) {
  if (question->step == 0) {
    ask(call, TROUPE_PUSH_SCOPE, TEXTS("name", "left", "scopeType", "function"), question);
    return;
  }
  left = read_made(answer);
  done(call, question, NULL);
}

static void pop_left(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  if (question->step == 0) ask(call, TROUPE_POP_SCOPE, TEXTS("scope", left.id), question);
  else done(call, question, NULL);
}

static void put_forks(troupe_writer *object, const made *scopes) {
  static const char *const names[] = {"of", "fork", "alone"};
  troupe_put_object(object, 3);
  for (size_t at = 0; at < 3; at += 1) {
    troupe_put_text(object, names[at]);
    put_propagation(object, scopes[at].propagation);
  }
}

static void fork_scope(troupe_call *call, asked *question, troupe_bytes answer) {
  made *outer = &question->scopes[0], *beside = &question->scopes[1], *alone = &question->scopes[2];
  troupe_writer object = {0};
  if (question->step >= 1 && question->step <= 3) question->scopes[question->step - 1] = read_made(answer);
  switch (question->step) {
    case 0:
      ask(call, TROUPE_PUSH_SCOPE, TEXTS("name", "outer", "scopeType", "function"), question);
      return;
    case 1:
      ask(call, TROUPE_FORK_SCOPE, TEXTS("scope", outer->id), question);
      return;
    case 2:
      troupe_put_object(&object, 0);
      ask_with(call, TROUPE_FORK_SCOPE, &object, question);
      return;
    case 3:
      ask(call, TROUPE_MARK, TEXTS("name", "beside", "scope", beside->id), question);
      return;
    case 4:
      ask(call, TROUPE_MARK, TEXTS("name", "alone", "scope", alone->id), question);
      return;
    case 5:
      ask(call, TROUPE_DROP_SCOPE, TEXTS("scope", beside->id), question);
      return;
    case 6:
      ask(call, TROUPE_DROP_SCOPE, TEXTS("scope", alone->id), question);
      return;
    case 7:
      ask(call, TROUPE_POP_SCOPE, TEXTS("scope", outer->id), question);
      return;
    default:
      put_forks(&object, question->scopes);
      done(call, question, &object);
      free(object.data);
  }
}

static void foreign(troupe_call *call, asked *question, troupe_bytes answer) {
  const troupe_bytes args = {question->args, question->size};
  char id[64];
  (void)answer;
  read_text(args, id, sizeof id);
  if (question->step == 0) ask(call, TROUPE_POP_SCOPE, TEXTS("scope", id), question);
  else done(call, question, NULL);
}

static void under(troupe_call *call, asked *question, troupe_bytes answer) {
  const troupe_bytes args = {question->args, question->size};
  char named[512];
  (void)answer;
  read_text(args, named, sizeof named);
  if (question->step == 0) ask(call, TROUPE_MARK, TEXTS("name", "under", "scope", named), question);
  else done(call, question, NULL);
}

static void flood(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  ask(call, TROUPE_PUSH_SCOPE, TEXTS("name", "one more", "scopeType", "function"), question);
}

/* What is asked with the model's name in another way. */
static void put_other(troupe_writer *object, troupe_bytes annotated) {
  troupe_reader reader;
  troupe_value item, key;
  troupe_read(&reader, annotated);
  if (troupe_next(&reader, &item) != 0 || item.kind != TROUPE_OBJECT) return;
  troupe_put_object(object, item.count);
  for (size_t left_over = item.count; left_over > 0; left_over -= 1) {
    if (troupe_next(&reader, &key) != 0) return;
    troupe_put(object, &key);
    const uint8_t *begin = reader.rest.data;
    if (troupe_next(&reader, &item) != 0 || troupe_skip(&reader, &item) != 0) return;
    const troupe_bytes value = {begin, (size_t)(reader.rest.data - begin)};
    if (key.bytes.size == 5 && memcmp(key.bytes.data, "model", 5) == 0) troupe_put_text(object, "other");
    else troupe_put_encoded(object, value);
  }
}

static void codec(troupe_call *call, asked *question, troupe_bytes answer) {
  const troupe_bytes request = {question->args, question->size};
  troupe_writer object = {0};
  if (question->step == 2) {
    done_with(call, question, answer);
    return;
  }
  troupe_put_object(&object, question->step == 0 ? 1 : 2);
  if (question->step == 1) {
    troupe_put_text(&object, "annotated");
    put_other(&object, answer);
  }
  troupe_put_text(&object, question->step == 0 ? "request" : "original");
  troupe_put_encoded(&object, request);
  ask_with(call, question->step == 0 ? TROUPE_DECODE : TROUPE_ENCODE, &object, question);
}

static void unreadable(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  ask(call, TROUPE_DECODE, TEXTS("response", "odd", "codec", "openai_chat"), question);
}

static void registrations(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  if (question->step == 1) {
    done_with(call, question, answer);
    return;
  }
  troupe_put_object(&object, 1);
  troupe_put_text(&object, "kinds");
  troupe_put_list(&object, 1);
  troupe_put_text(&object, "subscriber");
  ask_with(call, TROUPE_LIST_REGISTRATIONS, &object, question);
}

static void diagnostics(troupe_call *call, asked *question, troupe_bytes answer) {
  troupe_writer object = {0};
  if (question->step == 1) {
    done_with(call, question, answer);
    return;
  }
  troupe_put_object(&object, 0);
  ask_with(call, TROUPE_DIAGNOSTICS, &object, question);
}

static void close_gate(troupe_call *call, asked *question, troupe_bytes answer) {
  const troupe_bytes name = {question->args, question->size};
  troupe_writer object = {0};
  (void)answer;
  if (question->step == 1) {
    done(call, question, NULL);
    return;
  }
  troupe_put_object(&object, 3);
  for (const char *const *text = TEXTS("name", "g", "reason", "not now", "about"); *text; text += 1)
    troupe_put_text(&object, *text);
  troupe_put_object(&object, 2);
  troupe_put_text(&object, "kinds");
  troupe_put_list(&object, 1);
  troupe_put_text(&object, "tool_request_intercept");
  troupe_put_text(&object, "name");
  troupe_put_encoded(&object, name);
  ask_with(call, TROUPE_SET_GATE, &object, question);
}

static void open_gate(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  if (question->step == 0) ask(call, TROUPE_SET_GATE, TEXTS("name", "g"), question);
  else done(call, question, NULL);
}

static void say_line(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  troupe_log(troupe_plugin_of(call), TROUPE_WARN, "a word");
  done(call, question, NULL);
}

static void mark_alone(const char *name) {
  troupe_writer object = {0};
  put_texts(&object, TEXTS("name", name));
  const troupe_bytes bytes = {object.data, object.size};
  troupe_tell_alone(host, TROUPE_MARK, bytes);
  free(object.data);
}

static void wholly(troupe_call *call, asked *question, troupe_bytes answer) {
  (void)answer;
  mark_alone("wholly");
  done(call, question, NULL);
}

/* What the call was told of its scope. */
static void scoped(troupe_call *call, asked *question, troupe_bytes answer) {
  const troupe_bytes said = troupe_scope(call);
  char text[512];
  troupe_writer object = {0};
  (void)answer;
  if (said.size >= sizeof text) return;
  if (said.size > 0) memcpy(text, said.data, said.size);
  text[said.size] = 0;
  put_propagation(&object, text);
  done(call, question, &object);
  free(object.data);
}

static const struct {
  const char *name;
  void (*go)(troupe_call *call, asked *question, troupe_bytes answer);
} questions[] = {
    {"mark", mark},           {"metric", metric},       {"scope", scope},
    {"failed", failed},       {"leave", leave},         {"popLeft", pop_left},
    {"fork", fork_scope},     {"foreign", foreign},     {"flood", flood},
    {"under", under},
    {"codec", codec},         {"unreadable", unreadable}, {"registrations", registrations},
    {"diagnostics", diagnostics}, {"closeGate", close_gate}, {"openGate", open_gate},
    {"log", say_line},        {"wholly", wholly},       {"scoped", scoped},
};

static void run(troupe_call *call, troupe_bytes payload) {
  char name[32];
  const troupe_bytes args = member(payload, "args");
  read_text(member(payload, "toolName"), name, sizeof name);
  for (size_t at = 0; at < sizeof questions / sizeof *questions; at += 1) {
    if (strcmp(questions[at].name, name) != 0) continue;
    asked *question = calloc(1, sizeof *question + args.size);
    if (question == NULL) return;
    question->go = questions[at].go;
    question->size = args.size;
    if (args.size > 0) memcpy(question->args, args.data, args.size);
    question->go(call, question, args);
    return;
  }
}

static void ready(troupe_plugin *plugin) {
  host = plugin;
  mark_alone("ready");
}

static const troupe_middleware middleware[] = {
    {.kind = TROUPE_TOOL_EXECUTION, .name = "asker", .run = run},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "asker", .version = "1.0.0", .encoding = TROUPE_CBOR, .middleware = middleware, .ready = ready};
