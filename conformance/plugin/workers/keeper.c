/* The kit's actor in C: it keeps things wherever an actor can. */
#include <stdlib.h>
#include <string.h>

#include "troupe_around.h"
#include "troupe_kept.h"
#include "troupe_request.h"
#include "troupe_socket.h"
#include "troupe_store.h"
#include "troupe_value.h"

#define LONGEST 256

/* The text at a place of the arguments. */
static troupe_bytes argument(troupe_bytes args, size_t at) {
  troupe_bytes value = {NULL, 0};
  troupe_reader reader;
  troupe_value item;
  if (troupe_element(args, at, &value) != 0) return value;
  troupe_read(&reader, value);
  if (troupe_next(&reader, &item) == 0 && item.kind == TROUPE_TEXT) return item.bytes;
  value.size = 0;
  return value;
}

static void reply_with(troupe_call *call, troupe_writer *answer) {
  const troupe_bytes value = {answer->data, answer->size};
  troupe_reply(call, value);
  free(answer->data);
}

static void reply_item(troupe_call *call, troupe_value item) {
  troupe_writer answer = {0};
  troupe_put(&answer, &item);
  reply_with(call, &answer);
}

static void reply_null(troupe_call *call) { reply_item(call, (troupe_value){.kind = TROUPE_NULL}); }

static void reply_text(troupe_call *call, troupe_bytes text) {
  reply_item(call, (troupe_value){.kind = TROUPE_TEXT, .bytes = text});
}

static void put(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_kv_put(c, argument(args, 0), argument(args, 1));
  reply_null(call);
}

static void found(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_row_reader row = {0};
  (void)data;
  if (outcome->error != NULL) troupe_pass(call, outcome);
  else if (troupe_next_row(outcome, &row)) reply_text(call, row.value);
  else reply_null(call);
}

static void get(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  troupe_kv_get(call, argument(args, 0), found, NULL);
}

static void delete_key(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_kv_delete(c, argument(args, 0));
  reply_null(call);
}

static void listed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_row_reader count = {0}, row = {0};
  troupe_writer answer = {0};
  size_t keys = 0;
  (void)data;
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    return;
  }
  while (troupe_next_row(outcome, &count)) keys += 1;
  troupe_put_list(&answer, keys);
  while (troupe_next_row(outcome, &row)) {
    const troupe_value key = {.kind = TROUPE_TEXT, .bytes = row.key};
    troupe_put(&answer, &key);
  }
  reply_with(call, &answer);
}

static void keys(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_keys range = {.start = argument(args, 0), .limit = 100};
  (void)c;
  troupe_kv_list(call, range, listed, NULL);
}

static const char make[] = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, said TEXT)";
static const char insert[] = "INSERT INTO notes (said) VALUES (?)";

/* Notes one text or two, in a transaction or in none. */
typedef struct {
  uint64_t transaction;
  int step;
  int texts;
  size_t sizes[2];
  char said[2][LONGEST];
} noting;

static void note_next(troupe_call *call, void *data, const troupe_outcome *outcome);

static void noted(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_bytes id;
  if (outcome->error != NULL || troupe_member(outcome->value, "lastInsertRowId", &id) != 0) {
    troupe_pass(call, outcome);
  } else {
    troupe_reply(call, id);
  }
  free(data);
}

static void undone(troupe_call *call, void *data, const troupe_outcome *outcome) {
  static const troupe_error nothing_said = {"user", "nothing_said", "There is nothing to note"};
  (void)outcome;
  free(data);
  troupe_fail(call, nothing_said);
}

static void committed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  noting *notes = data;
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    free(notes);
    return;
  }
  const troupe_bytes none = {NULL, 0};
  troupe_sql(call, "SELECT max(id) AS lastInsertRowId FROM notes", none, note_next, notes);
}

static void say_note(troupe_call *call, noting *notes, int which, troupe_then then) {
  troupe_writer params = {0};
  const troupe_value said = {.kind = TROUPE_TEXT, .bytes = {(const uint8_t *)notes->said[which], notes->sizes[which]}};
  troupe_put_list(&params, 1);
  troupe_put(&params, &said);
  const troupe_bytes bytes = {params.data, params.size};
  troupe_sql_in(call, notes->transaction, insert, bytes, then, notes);
  free(params.data);
}

/* The first value of the first row. */
static void reply_first(troupe_call *call, troupe_bytes answer) {
  troupe_bytes rows, row, value;
  if (troupe_member(answer, "rows", &rows) != 0 || troupe_element(rows, 0, &row) != 0) return;
  if (troupe_element(row, 0, &value) == 0) troupe_reply(call, value);
}

static void note_next(troupe_call *call, void *data, const troupe_outcome *outcome) {
  noting *notes = data;
  if (outcome->error != NULL) {
    troupe_pass(call, outcome);
    free(notes);
    return;
  }
  notes->step += 1;
  if (notes->texts == 1) {
    say_note(call, notes, 0, noted);
    return;
  }
  switch (notes->step) {
    case 1:
      notes->transaction = troupe_begin(call, 0, note_next, notes);
      return;
    case 2:
    case 3:
      if (notes->sizes[notes->step - 2] == 0) troupe_undo(call, notes->transaction, undone, notes);
      else say_note(call, notes, notes->step - 2, note_next);
      return;
    case 4:
      troupe_commit(call, notes->transaction, committed, notes);
      return;
    default:
      reply_first(call, outcome->value);
      free(notes);
  }
}

static void begin_notes(troupe_call *call, troupe_bytes args, int texts) {
  const troupe_bytes none = {NULL, 0};
  noting *notes = calloc(1, sizeof *notes);
  if (notes == NULL) return;
  notes->texts = texts;
  for (int at = 0; at < texts; at += 1) {
    const troupe_bytes said = argument(args, (size_t)at);
    if (said.size < LONGEST) notes->sizes[at] = said.size;
    if (notes->sizes[at] > 0) memcpy(notes->said[at], said.data, notes->sizes[at]);
  }
  troupe_sql(call, make, none, note_next, notes);
}

static void note(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_notes(call, args, 1);
}

static void note_both(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_notes(call, args, 2);
}

/* A list of objects, by the columns. */
static void put_rows(troupe_writer *answer, troupe_bytes columns, troupe_bytes rows) {
  troupe_bytes row, name, value;
  size_t count = 0, width = 0;
  while (troupe_element(rows, count, &row) == 0) count += 1;
  while (troupe_element(columns, width, &name) == 0) width += 1;
  troupe_put_list(answer, count);
  for (size_t at = 0; at < count && troupe_element(rows, at, &row) == 0; at += 1) {
    troupe_put_object(answer, width);
    for (size_t column = 0; column < width; column += 1) {
      if (troupe_element(columns, column, &name) != 0 || troupe_element(row, column, &value) != 0) return;
      troupe_put_encoded(answer, name);
      troupe_put_encoded(answer, value);
    }
  }
}

static void selected(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_bytes columns, rows;
  troupe_writer answer = {0};
  (void)data;
  if (outcome->error != NULL || troupe_member(outcome->value, "columns", &columns) != 0 ||
      troupe_member(outcome->value, "rows", &rows) != 0) {
    troupe_pass(call, outcome);
    return;
  }
  put_rows(&answer, columns, rows);
  reply_with(call, &answer);
}

static void notes(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_bytes none = {NULL, 0};
  (void)c;
  (void)args;
  troupe_sql(call, "SELECT id, said FROM notes ORDER BY id", none, selected, NULL);
}

static void went_wrong(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  reply_text(call, troupe_text(outcome->error == NULL ? "" : outcome->error->code));
}

static void wrong(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_bytes none = {NULL, 0};
  (void)c;
  (void)args;
  troupe_sql(call, "NO SQL", none, went_wrong, NULL);
}

/* A call of another keeper. */
typedef struct {
  size_t size;
  char whom[LONGEST];
  char key[LONGEST];
} telling;

static void pass(troupe_call *call, void *data, const troupe_outcome *outcome) {
  free(data);
  troupe_pass(call, outcome);
}

static void ask_back(troupe_call *call, void *data, const troupe_outcome *outcome) {
  telling *told = data;
  if (outcome->error != NULL) {
    pass(call, told, outcome);
    return;
  }
  troupe_writer args = {0};
  troupe_put_list(&args, 1);
  troupe_put_text(&args, told->key);
  const char *const key[] = {told->whom, NULL};
  const troupe_other other = {
      .name = "keeper", .key = key, .method = TROUPE_GET, .action = "get", .args = {args.data, args.size}};
  troupe_call_other(call, &other, pass, told);
  free(args.data);
}

static void copy_text(char *to, troupe_bytes text) {
  if (text.size > 0 && text.size < LONGEST) memcpy(to, text.data, text.size);
}

static void tell(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  telling *told = calloc(1, sizeof *told);
  if (told == NULL) return;
  copy_text(told->whom, argument(args, 0));
  copy_text(told->key, argument(args, 1));
  troupe_writer said = {0};
  const troupe_value value = {.kind = TROUPE_TEXT, .bytes = argument(args, 2)};
  troupe_put_list(&said, 2);
  troupe_put_text(&said, told->key);
  troupe_put(&said, &value);
  const char *const key[] = {told->whom, NULL};
  const troupe_other other = {.name = "keeper", .key = key, .action = "put", .args = {said.data, said.size}};
  troupe_call_other(call, &other, ask_back, told);
  free(said.data);
}

static void tell_nobody(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const char *const key[] = {"nobody", NULL};
  const troupe_other other = {.name = "keeper", .key = key, .method = TROUPE_GET, .action = "get", .args = args};
  (void)c;
  troupe_call_other(call, &other, pass, NULL);
}

static void who(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_writer answer = {0};
  size_t parts = 0;
  (void)args;
  while (troupe_key(c, parts) != NULL) parts += 1;
  troupe_put_list(&answer, 3);
  troupe_put_text(&answer, troupe_name(c));
  troupe_put_list(&answer, parts);
  for (size_t at = 0; at < parts; at += 1) troupe_put_text(&answer, troupe_key(c, at));
  troupe_put_text(&answer, troupe_actor_id(c));
  reply_with(call, &answer);
}

static void scope(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  reply_text(call, troupe_scope(call));
}

static void whisper(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_send(c, troupe_connection(call), "whispered", args);
  reply_null(call);
}

static void leave(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  reply_null(call);
  troupe_disconnect(c, troupe_connection(call), "enough");
}

static void sleep_now(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  reply_null(call);
  troupe_sleep(c);
}

static void destroy(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  reply_null(call);
  troupe_destroy(c);
}

static void welcome(troupe_context *c, const troupe_socket *socket) {
  troupe_socket_text(c, socket->number, troupe_text("welcome"));
}

static int says(troupe_bytes message, const char *text) {
  return message.size == strlen(text) && (message.size == 0 || memcmp(message.data, text, message.size) == 0);
}

/* Says what it is told again, and ends when it is told "bye". */
static void heard(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text) {
  char said[LONGEST];
  if (!is_text) {
    troupe_socket_bytes(c, socket, message);
  } else if (says(message, "bye")) {
    troupe_socket_close(c, socket, 4000, "bye");
  } else if (says(message, "fail")) {
    troupe_socket_close(c, socket, 1011, "user.told_to");
  } else if (message.size < LONGEST) {
    if (message.size > 0) memcpy(said, message.data, message.size);
    said[message.size] = '!';
    const troupe_bytes louder = {(const uint8_t *)said, message.size + 1};
    troupe_kv_put(c, troupe_text("heard"), message);
    troupe_socket_text(c, socket, louder);
  }
}

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
static void do_job(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void take(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void complete(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void give_up(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  receive(call, NULL, 1, give_it_up, NULL);
}

static void send_inbox(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  ask_text(&asked, "name", troupe_text("inbox"));
  ask_text(&asked, "body", argument(args, 0));
  ask(call, TROUPE_QUEUE_SEND, &asked, passed, NULL);
}

static void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void later_unknown(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask_integer(&asked, "delayMs", 1);
  ask_text(&asked, "action", troupe_text("nothing"));
  ask(call, TROUPE_SCHEDULE_SET, &asked, passed, NULL);
}

/* A list of objects becomes a list of one member of each, in the order of the jobs' names where there are two. */
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
  /* An encoded text begins with its length: shorter ones come first. "daily" and "tick" are named for the other order. */
  const int swap = count == 2 && memcmp(found[0].data + 1, found[1].data + 1, shorter - 1) > 0;
  troupe_put_list(&answer, count);
  for (size_t at = 0; at < count; at += 1) troupe_put_encoded(&answer, found[swap ? 1 - at : at]);
  reply_with(call, &answer);
}

static void listed_calls(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  reply_members(call, "action", outcome);
}

static void scheduled(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask(call, TROUPE_SCHEDULE_LIST, &asked, listed_calls, NULL);
}

static void cancel(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void tick(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void every(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  set_cron(call, args, "interval");
}

static void cron(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  set_cron(call, args, "expression");
}

static void listed_jobs(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  reply_members(call, "name", outcome);
}

static void jobs(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  (void)args;
  ask(call, TROUPE_CRON_LIST, &asked, listed_jobs, NULL);
}

static void stop_job(troupe_context *c, troupe_call *call, troupe_bytes args) {
  asking asked = {0};
  (void)c;
  ask_text(&asked, "name", argument(args, 0));
  ask(call, TROUPE_CRON_DELETE, &asked, passed, NULL);
}

static void hold(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_set_idle(c, 0);
  reply_null(call);
}

static void let_go(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_set_idle(c, 1);
  reply_null(call);
}

static void wakes(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_reply(call, troupe_state(c, "wakes"));
}

static void started(troupe_context *c, int is_new) {
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
static void watch(troupe_context *c, troupe_call *call, troupe_bytes args) {
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

static void count(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_count(call, args, 0);
}

static void count_and_fail(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  begin_count(call, args, 1);
}

static int ends_with(troupe_bytes text, const char *end) {
  const size_t size = strlen(end);
  return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* Answers with the request, or with as much as is asked for. */
static void answer(troupe_context *c, troupe_call *call, const troupe_request *request) {
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

static const troupe_action queues[] = {{"jobs", do_job}, {"inbox", NULL}, {NULL, NULL}};

static const troupe_sockets sockets = {.opened = welcome, .heard = heard};

static const troupe_action actions[] = {
    {"put", put},         {"get", get},         {"delete", delete_key}, {"keys", keys},     {"note", note},
    {"noteBoth", note_both}, {"notes", notes},  {"wrong", wrong},       {"tell", tell},     {"tellNobody", tell_nobody},
    {"who", who},         {"scope", scope},     {"whisper", whisper},   {"leave", leave},   {"sleep", sleep_now},
    {"destroy", destroy}, {"take", take},       {"complete", complete}, {"giveUp", give_up}, {"sendInbox", send_inbox},
    {"later", later},     {"laterUnknown", later_unknown}, {"scheduled", scheduled}, {"cancel", cancel}, {"tick", tick},
    {"every", every},     {"cron", cron},       {"jobs", jobs},         {"stopJob", stop_job}, {"hold", hold},
    {"letGo", let_go},    {"wakes", wakes},     {"watch", watch},       {"count", count},
    {"countAndFail", count_and_fail}, {NULL, NULL},
};
static const char *const events[] = {"whispered", NULL};
static const troupe_actor actors[] = {
    {.name = "keeper", .actions = actions, .events = events, .database = 1, .sockets = &sockets, .start = started,
     .queues = queues, .request = answer},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "keeper", .version = "1.0.0", .encoding = TROUPE_CBOR, .actors = actors};
