/* The kit's actor in C: it keeps things wherever an actor can. */
#include "keeper.h"

#include <stdlib.h>
#include <string.h>

#include "troupe_kept.h"


/* The text at a place of the arguments. */
troupe_bytes argument(troupe_bytes args, size_t at) {
  troupe_bytes value = {NULL, 0};
  troupe_reader reader;
  troupe_value item;
  if (troupe_element(args, at, &value) != 0) return value;
  troupe_read(&reader, value);
  if (troupe_next(&reader, &item) == 0 && item.kind == TROUPE_TEXT) return item.bytes;
  value.size = 0;
  return value;
}

void reply_with(troupe_call *call, troupe_writer *answer) {
  const troupe_bytes value = {answer->data, answer->size};
  troupe_reply(call, value);
  free(answer->data);
}

void reply_item(troupe_call *call, troupe_value item) {
  troupe_writer answer = {0};
  troupe_put(&answer, &item);
  reply_with(call, &answer);
}

void reply_null(troupe_call *call) { reply_item(call, (troupe_value){.kind = TROUPE_NULL}); }

void reply_text(troupe_call *call, troupe_bytes text) {
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

static void saved(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  if (outcome->error != NULL) troupe_pass(call, outcome);
  else reply_null(call);
}

static void save(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_kv_put(c, argument(args, 0), argument(args, 1));
  troupe_save_state(call, saved, NULL);
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

static const troupe_action queues[] = {{"jobs", do_job}, {"inbox", NULL}, {"trials", do_trial}, {NULL, NULL}};
static const troupe_delivery deliveries[] = {{.queue = "trials", .max_attempts = 2, .retry_delay_ms = 1}, {.queue = NULL}};

static const troupe_action actions[] = {
    {"save", save},
    {"put", put},         {"get", get},         {"delete", delete_key}, {"keys", keys},     {"note", note},
    {"noteBoth", note_both}, {"notes", notes},  {"wrong", wrong},       {"tell", tell},     {"tellNobody", tell_nobody},
    {"who", who},         {"scope", scope},     {"whisper", whisper},   {"leave", leave},   {"sleep", sleep_now},
    {"destroy", destroy}, {"take", take},       {"complete", complete}, {"giveUp", give_up}, {"sendInbox", send_inbox},
    {"later", later},     {"laterUnknown", later_unknown}, {"scheduled", scheduled}, {"cancel", cancel}, {"tick", tick},
    {"every", every},     {"cron", cron},       {"jobs", jobs},         {"stopJob", stop_job}, {"hold", hold},
    {"letGo", let_go},    {"wakes", wakes},     {"watch", watch},       {"count", count},
    {"countAndFail", count_and_fail}, {"visits", visits}, {"here", here}, {"tellSecret", tell_secret}, {"sockets", open_sockets},
    {NULL, NULL},
};
static const char *const events[] = {"whispered", "secret", NULL};
static const troupe_actor actors[] = {
    {.name = "keeper", .actions = actions, .events = events, .database = 1, .sockets = &raw_sockets, .start = started,
     .queues = queues, .deliveries = deliveries, .request = answer, .accept = accept_client, .clients = &clients},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "keeper", .version = "1.0.0", .encoding = TROUPE_CBOR, .actors = actors};
