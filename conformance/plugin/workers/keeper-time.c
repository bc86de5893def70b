/* What the kit's actor does beside its answers: queues, schedules, results in items, HTTP requests. */
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "troupe_around.h"
#include "troupe_kept.h"
#include "troupe_request.h"

/* What is asked of the queues and schedules: an object, member by member. */
typedef struct {
  troupe_writer members;
  size_t count;
} asking;

static void ask_text(asking *asked, const char *name, troupe_bytes text) {
  const troupe_value value = {.kind = TROUPE_TEXT, .bytes = text};
  troupe_put_text(&asked->members, name);
  troupe_put(&asked->members, &value);
  asked->count += 1;
}

static void ask_encoded(asking *asked, const char *name, troupe_bytes value) {
  troupe_put_text(&asked->members, name);
  troupe_put_encoded(&asked->members, value);
  asked->count += 1;
}

static void ask_integer(asking *asked, const char *name, int64_t value) {
  troupe_put_text(&asked->members, name);
  troupe_put_integer(&asked->members, value);
  asked->count += 1;
}

static void ask(troupe_call *call, troupe_kept about, asking *asked, troupe_then then, void *data) {
  troupe_writer object = {0};
  const troupe_bytes members = {asked->members.data, asked->members.size};
  troupe_put_object(&object, asked->count);
  troupe_put_encoded(&object, members);
  const troupe_bytes bytes = {object.data, object.size};
  troupe_ask_kept(call, about, bytes, then, data);
  free(object.data);
  free(asked->members.data);
}

static void passed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  if (outcome->error == NULL && outcome->value.size == 0) reply_null(call);
  else troupe_pass(call, outcome);
}

/* What stands at a key, with a text behind it. */
static void append(troupe_context *c, const char *key, const troupe_outcome *outcome, troupe_bytes text, const char *end) {
  troupe_row_reader row = {0};
  char all[LONGEST];
  size_t size = 0;
  if (troupe_next_row(outcome, &row) && row.value.size < LONGEST) memcpy(all, row.value.data, size = row.value.size);
  if (size + text.size + strlen(end) >= LONGEST) return;
  memcpy(all + size, text.data, text.size);
  size += text.size;
  memcpy(all + size, end, strlen(end));
  const troupe_bytes value = {(const uint8_t *)all, size + strlen(end)};
  troupe_kv_put(c, troupe_text(key), value);
}

typedef struct {
  size_t size;
  char text[LONGEST];
} job;

static void job_done(troupe_call *call, void *data, const troupe_outcome *outcome) {
  job *work = data;
  char said[LONGEST + 4] = "did ";
  const troupe_bytes body = {(const uint8_t *)work->text, work->size};
  memcpy(said + 4, work->text, work->size);
  const troupe_bytes reply = {(const uint8_t *)said, work->size + 4};
  append(troupe_context_of(call), "done", outcome, body, ",");
  reply_text(call, reply);
  free(work);
}

/* Fails with the first delivery of what says so. */
/* Fails with each delivery, and keeps which one it was. */
void do_trial(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const troupe_error never = {"user", "never", "It always fails"};
  const char attempt[2] = {(char)('0' + troupe_attempt(call) % 10), 0};
  (void)args;
  troupe_kv_put(c, troupe_text("tried"), troupe_text(attempt));
  troupe_fail(call, never);
}

void do_job(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const troupe_error not_yet = {"user", "not_yet", "The first time it fails"};
  const troupe_bytes body = argument(args, 0), fails = troupe_text("fail once");
  (void)c;
  if (troupe_attempt(call) == 1 && body.size == fails.size && memcmp(body.data, fails.data, fails.size) == 0) {
    troupe_fail(call, not_yet);
    return;
  }
  job *work = calloc(1, sizeof *work);
  if (work == NULL || body.size >= LONGEST) {
    free(work);
    return;
  }
  work->size = body.size;
  memcpy(work->text, body.data, body.size);
  troupe_kv_get(call, troupe_text("done"), job_done, work);
}

/* The first message of a list: a member of it. */
static int first_member(const troupe_outcome *outcome, const char *name, troupe_bytes *value) {
  troupe_bytes message;
  return outcome->error == NULL && troupe_element(outcome->value, 0, &message) == 0 &&
         troupe_member(message, name, value) == 0;
}

static void taken(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_bytes body;
  (void)data;
  if (first_member(outcome, "body", &body)) troupe_reply(call, body);
  else if (outcome->error != NULL) troupe_pass(call, outcome);
  else reply_null(call);
}

static void receive(troupe_call *call, const troupe_bytes *timeout, int completable, troupe_then then, void *data) {
  asking asked = {0};
  troupe_put_text(&asked.members, "names");
  troupe_put_list(&asked.members, 1);
  troupe_put_text(&asked.members, "inbox");
  asked.count = 1;
  if (timeout != NULL) ask_encoded(&asked, "timeout", *timeout);
  if (completable) {
    const troupe_value yes = {.kind = TROUPE_BOOLEAN, .truth = 1};
    ask_integer(&asked, "timeout", 0);
    troupe_put_text(&asked.members, "completable");
    troupe_put(&asked.members, &yes);
    asked.count += 1;
  }
  ask(call, TROUPE_QUEUE_RECEIVE, &asked, then, data);
}

void take(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_bytes timeout;
  (void)c;
  if (troupe_element(args, 0, &timeout) == 0) receive(call, &timeout, 0, taken, NULL);
}

typedef struct {
  size_t reply_size;
  size_t body_size;
  char reply[LONGEST];
  uint8_t body[LONGEST];
} completing;

static void was_completed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  completing *end = data;
  const troupe_bytes body = {end->body, end->body_size};
  if (outcome->error != NULL) troupe_pass(call, outcome);
  else troupe_reply(call, body);
  free(end);
}

static void complete_it(troupe_call *call, void *data, const troupe_outcome *outcome) {
  completing *end = data;
  troupe_bytes id, name, body;
  asking asked = {0};
  if (!first_member(outcome, "id", &id) || !first_member(outcome, "name", &name) ||
      !first_member(outcome, "body", &body) || body.size > LONGEST) {
    taken(call, NULL, outcome);
    free(end);
    return;
  }
  memcpy(end->body, body.data, end->body_size = body.size);
  const troupe_bytes reply = {(const uint8_t *)end->reply, end->reply_size};
  ask_encoded(&asked, "id", id);
  ask_encoded(&asked, "name", name);
  ask_text(&asked, "reply", reply);
  ask(call, TROUPE_QUEUE_COMPLETE, &asked, was_completed, end);
}

void complete(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_bytes reply = argument(args, 0);
  completing *end = calloc(1, sizeof *end);
  (void)c;
  if (end == NULL || reply.size > LONGEST) {
    free(end);
    return;
  }
  memcpy(end->reply, reply.data, end->reply_size = reply.size);
  receive(call, NULL, 1, complete_it, end);
}

static void gave_up(troupe_call *call, void *data, const troupe_outcome *outcome) {
  static const troupe_error enough = {"user", "gave_up", "It had enough"};
  (void)data;
  (void)outcome;
  troupe_fail(call, enough);
}

static void give_it_up(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_bytes id, name;
  asking asked = {0};
  (void)data;
  if (!first_member(outcome, "id", &id) || !first_member(outcome, "name", &name)) return;
  ask_encoded(&asked, "id", id);
  ask_encoded(&asked, "name", name);
  ask_integer(&asked, "delay", 0);
  ask(call, TROUPE_QUEUE_RETRY, &asked, gave_up, NULL);
}

void give_up(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  receive(call, NULL, 1, give_it_up, NULL);
}

void send_inbox(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  ask_text(&asked, "name", troupe_text("inbox"));
  ask_text(&asked, "body", argument(args, 0));
  ask(call, TROUPE_QUEUE_SEND, &asked, passed, NULL);
}

void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  troupe_bytes delay, part;
  (void)c;
  if (troupe_element(args, 0, &delay) != 0) return;
  ask_encoded(&asked, "delayMs", delay);
  ask_text(&asked, "action", troupe_text("put"));
  troupe_put_text(&asked.members, "args");
  troupe_put_list(&asked.members, 2);
  for (size_t at = 1; at <= 2; at += 1)
    if (troupe_element(args, at, &part) == 0) troupe_put_encoded(&asked.members, part);
  asked.count += 1;
  ask(call, TROUPE_SCHEDULE_SET, &asked, passed, NULL);
}

void later_unknown(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask_integer(&asked, "delayMs", 1);
  ask_text(&asked, "action", troupe_text("nothing"));
  ask(call, TROUPE_SCHEDULE_SET, &asked, passed, NULL);
}

/* A list of objects becomes a list of one member of each, of two in the order of their letters: behind the byte of their length. */
static void reply_members(troupe_call *call, const char *name, const troupe_outcome *outcome) {
  troupe_writer answer = {0};
  troupe_bytes one, found[2] = {{NULL, 0}, {NULL, 0}};
  size_t count = 0;
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    return;
  }
  while (count < 2 && troupe_element(outcome->value, count, &one) == 0 && troupe_member(one, name, &found[count]) == 0) count += 1;
  const size_t shorter = found[0].size < found[1].size ? found[0].size : found[1].size;
  const int swap = count == 2 && memcmp(found[0].data + 1, found[1].data + 1, shorter - 1) > 0;
  troupe_put_list(&answer, count);
  for (size_t at = 0; at < count; at += 1) troupe_put_encoded(&answer, found[swap ? 1 - at : at]);
  reply_with(call, &answer);
}

static void listed_calls(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  reply_members(call, "action", outcome);
}

void scheduled(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask(call, TROUPE_SCHEDULE_LIST, &asked, listed_calls, NULL);
}

void cancel(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  ask_text(&asked, "id", argument(args, 0));
  ask(call, TROUPE_SCHEDULE_CANCEL, &asked, passed, NULL);
}

static void ticked(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  append(troupe_context_of(call), "ticks", outcome, troupe_text("x"), "");
  reply_null(call);
}

void tick(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  troupe_kv_get(call, troupe_text("ticks"), ticked, NULL);
}

static void set_cron(troupe_call *call, troupe_bytes args, const char *when) {
  asking asked = {0};
  troupe_bytes value;
  if (troupe_element(args, 1, &value) != 0) return;
  ask_text(&asked, "name", argument(args, 0));
  ask_encoded(&asked, when, value);
  ask_text(&asked, "action", troupe_text("tick"));
  ask(call, TROUPE_CRON_SET, &asked, passed, NULL);
}

void every(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  set_cron(call, args, "interval");
}

void cron(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  set_cron(call, args, "expression");
}

static void listed_jobs(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  reply_members(call, "name", outcome);
}

void jobs(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask(call, TROUPE_CRON_LIST, &asked, listed_jobs, NULL);
}

void stop_job(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  ask_text(&asked, "name", argument(args, 0));
  ask(call, TROUPE_CRON_DELETE, &asked, passed, NULL);
}

void hold(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_set_idle(c, 0);
  reply_null(call);
}

void let_go(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_set_idle(c, 1);
  reply_null(call);
}

void wakes(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_reply(call, troupe_state(c, "wakes"));
}

void started(troupe_context *c, int is_new) {
  troupe_writer value = {0};
  int64_t before = 0;
  if (!is_new) troupe_whole(troupe_state(c, "wakes"), &before);
  troupe_put_integer(&value, before + 1);
  const troupe_bytes bytes = {value.data, value.size};
  troupe_set_state(c, "wakes", bytes);
  free(value.data);
}

static void not_given(troupe_call *call, void *data, const troupe_outcome *outcome) {
  char said[LONGEST];
  (void)data;
  const char *code = outcome->error == NULL ? "given" : outcome->error->code;
  const size_t size = strlen(code);
  memcpy(said, code, size);
  const char *aborted = troupe_aborted(call) ? " true" : " false";
  memcpy(said + size, aborted, strlen(aborted) + 1);
  troupe_kv_put(troupe_context_of(call), troupe_text("aborted"), troupe_text(said));
  reply_null(call);
}

static void watching(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  if (outcome->error != NULL) troupe_pass(call, outcome);
  else receive(call, NULL, 0, not_given, NULL);
}

/* Waits until nobody waits for it. */
void watch(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const char *const log[] = {"log", NULL};
  const troupe_value name = {.kind = TROUPE_TEXT, .bytes = argument(args, 0)};
  troupe_writer said = {0};
  (void)c;
  troupe_put_list(&said, 2);
  troupe_put(&said, &name);
  troupe_put_text(&said, "watches");
  const troupe_other other = {.name = "keeper", .key = log, .action = "put", .args = {said.data, said.size}};
  troupe_call_other(call, &other, watching, NULL);
  free(said.data);
}

/* Numbers, each stored before it is given. */
typedef struct {
  int64_t last;
  int64_t upto;
  int fails;
} counting;

static void next_number(troupe_call *call, void *data) {
  static const troupe_error enough = {"user", "enough", "That was enough"};
  counting *count = data;
  char text[24];
  size_t at = sizeof text;
  if (count->last == count->upto) {
    if (count->fails) troupe_fail(call, enough);
    else troupe_end(call);
    return;
  }
  count->last += 1;
  for (int64_t rest = count->last; rest > 0; rest /= 10) text[--at] = (char)('0' + rest % 10);
  const troupe_bytes number = {(const uint8_t *)text + at, sizeof text - at};
  troupe_kv_put(troupe_context_of(call), troupe_text("counted"), number);
  reply_item(call, (troupe_value){.kind = TROUPE_NUMBER, .number = (double)count->last});
}

static const troupe_source numbers = {.chunk = next_number, .over = free};

static void begin_count(troupe_call *call, troupe_bytes args, int fails) {
  troupe_bytes upto;
  counting *count = calloc(1, sizeof *count);
  if (count == NULL || troupe_element(args, 0, &upto) != 0 || troupe_whole(upto, &count->upto) != 0) {
    free(count);
    return;
  }
  count->fails = fails;
  troupe_reply_stream(call, &numbers, count);
}

void count(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_count(call, args, 0);
}

void count_and_fail(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_count(call, args, 1);
}

static int ends_with(troupe_bytes text, const char *end) {
  const size_t size = strlen(end);
  return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* Answers with the request, or with as much as is asked for. */
void answer(troupe_context *c, troupe_call *call, const troupe_request *request) {
  static const troupe_error refused = {"user", "refused", "Not this one"};
  static const troupe_header headers[] = {
      {{(const uint8_t *)"x-kept", 6}, {(const uint8_t *)"yes", 3}},
      {{NULL, 0}, {NULL, 0}},
  };
  const size_t large = 200000;
  const size_t size = ends_with(request->url, "/large") ? large : request->method.size + 1 + request->body.size;
  uint8_t *body = malloc(size);
  (void)c;
  if (ends_with(request->url, "/refused") || body == NULL) {
    free(body);
    troupe_fail(call, refused);
    return;
  }
  memset(body, 'x', size);
  troupe_response response = {.body = {body, size}};
  if (!ends_with(request->url, "/large")) {
    memcpy(body, request->method.data, request->method.size);
    body[request->method.size] = ' ';
    if (request->body.size > 0) memcpy(body + request->method.size + 1, request->body.data, request->body.size);
    response.status = 201;
    response.headers = headers;
  }
  troupe_respond(call, &response);
  free(body);
}
