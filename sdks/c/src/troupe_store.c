/* What an actor asks of its host, and says of itself. */
#include "troupe_store.h"

#include "troupe_kept.h"

#include "troupe_parts.h"

/* Fields of Ask, and StopReasons. */
enum { ASK_BARRIER = 2, ASK_KV_GET = 3, ASK_KV_LIST = 4, ASK_SQL = 5, ASK_OTHER = 8, ASK_BEGIN = 9 };
enum { ASK_END = 10, ASK_KEPT = 12 };
enum { STOP_SLEEP = 1, STOP_DESTROY = 2 };

/* A question on its way: its frame is open, and the queue's lock is held. */
typedef struct {
  troupe_deferred to;
  uint64_t number;
  wire_writer *out;
  size_t begin, frame, ask, about;
} question;

/* 0: it isn't asked, and its call is gone. */
static int begin_question(question *q, troupe_call *call, uint32_t about, troupe_then then, void *data) {
  q->to = call->to;
  q->number = wait_begin(call, WAIT_ANSWER, 0, then, data);
  if (q->number == 0) return 0;
  q->out = frame_begin(&q->to.plugin->queue, &q->begin);
  q->frame = wire_begin(q->out, FRAME_ACTOR);
  wire_put_number(q->out, 1, q->to.instance);
  q->ask = wire_begin(q->out, SAY_ASK);
  wire_put_number(q->out, 1, q->number);
  q->about = wire_begin(q->out, about);
  return 1;
}

static void end_question(question *q) {
  wire_end(q->out, q->about);
  wire_end(q->out, q->ask);
  wire_end(q->out, q->frame);
  wait_said(q->to.plugin, WAIT_ANSWER, q->number, frame_end(&q->to.plugin->queue, q->begin));
}

void troupe_kv_get(troupe_call *call, troupe_bytes key, troupe_then then, void *data) {
  question q;
  if (!begin_question(&q, call, ASK_KV_GET, then, data)) return;
  wire_put_bytes(q.out, 1, key);
  end_question(&q);
}

void troupe_kv_list(troupe_call *call, troupe_keys keys, troupe_then then, void *data) {
  question q;
  if (!begin_question(&q, call, ASK_KV_LIST, then, data)) return;
  wire_put_bytes(q.out, 1, keys.start);
  wire_put_bytes(q.out, 2, keys.end);
  wire_put_number(q.out, 3, keys.limit);
  wire_put_number(q.out, 4, keys.reverse != 0);
  end_question(&q);
}

static int read_row(wire_reader message, troupe_row_reader *row) {
  int there = 1;
  memset(&row->key, 0, sizeof row->key);
  memset(&row->value, 0, sizeof row->value);
  while (wire_next(&message)) {
    if (message.field == 3) row->key = message.bytes;
    if (message.field == 4) row->value = message.bytes;
    if (message.field == 5 && message.number != 0) there = 0;
  }
  return there && !message.bad;
}

int troupe_next_row(const troupe_outcome *outcome, troupe_row_reader *row) {
  troupe_bytes rest = outcome->whole;
  if (outcome->error != NULL || row->at > rest.size) return 0;
  rest.data += row->at;
  rest.size -= row->at;
  wire_reader reader = wire_read(rest);
  while (wire_next(&reader)) {
    row->at = outcome->whole.size - (size_t)(reader.end - reader.at);
    if (reader.field == 3 && read_row(wire_read(reader.bytes), row)) return 1;
  }
  row->at = outcome->whole.size;
  return 0;
}

void troupe_sql_in(troupe_call *call, uint64_t transaction, const char *sql, troupe_bytes params, troupe_then then,
                   void *data) {
  question q;
  if (!begin_question(&q, call, ASK_SQL, then, data)) return;
  wire_put_text(q.out, 1, sql);
  wire_put_bytes(q.out, 2, params);
  wire_put_number(q.out, 3, transaction);
  end_question(&q);
}

void troupe_sql(troupe_call *call, const char *sql, troupe_bytes params, troupe_then then, void *data) {
  troupe_sql_in(call, 0, sql, params, then, data);
}

uint64_t troupe_begin(troupe_call *call, uint64_t outer, troupe_then then, void *data) {
  question q;
  if (!begin_question(&q, call, ASK_BEGIN, then, data)) return 0;
  /* The question's number is never used twice, so it is the transaction's too. */
  wire_put_number(q.out, 1, q.number);
  wire_put_number(q.out, 2, outer);
  const uint64_t transaction = q.number;
  end_question(&q);
  return transaction;
}

static void end_transaction(troupe_call *call, uint64_t transaction, int undo, troupe_then then, void *data) {
  question q;
  if (!begin_question(&q, call, ASK_END, then, data)) return;
  wire_put_number(q.out, 1, transaction);
  wire_put_number(q.out, 2, (uint64_t)undo);
  end_question(&q);
}

void troupe_commit(troupe_call *call, uint64_t transaction, troupe_then then, void *data) {
  end_transaction(call, transaction, 0, then, data);
}

void troupe_undo(troupe_call *call, uint64_t transaction, troupe_then then, void *data) {
  end_transaction(call, transaction, 1, then, data);
}

void troupe_save_state(troupe_call *call, troupe_then then, void *data) {
  question q;
  if (begin_question(&q, call, ASK_BARRIER, then, data)) end_question(&q);
}

static void put_part(wire_writer *out, uint32_t field, const char *text) {
  const size_t part = wire_begin(out, field);
  wire_put_raw(out, text, strlen(text));
  wire_end(out, part);
}

void troupe_call_other(troupe_call *call, const troupe_other *other, troupe_then then, void *data) {
  question q;
  /* The scope is the call's, which goes on its way. */
  const call_facts facts = call->facts;
  wire_writer scope;
  memset(&scope, 0, sizeof scope);
  wire_put_bytes(&scope, 14, facts.scope);
  if (begin_question(&q, call, ASK_OTHER, then, data)) {
    wire_put_text(q.out, 1, other->name);
    for (const char *const *part = other->key; part != NULL && *part != NULL; part += 1) put_part(q.out, 2, *part);
    wire_put_number(q.out, 4, other->method == 0 ? TROUPE_GET_OR_CREATE : other->method);
    wire_put_bytes(q.out, 5, other->input);
    wire_put_text(q.out, 7, other->action);
    wire_put_bytes(q.out, 8, other->args);
    if (other->sends) wire_end(q.out, wire_begin(q.out, 9));
    wire_put_number(q.out, 10, other->timeout_ms);
    wire_put_number(q.out, 13, facts.depth);
    wire_put_raw(q.out, scope.data, scope.size);
    end_question(&q);
  }
  free(scope.data);
}

void troupe_ask_kept(troupe_call *call, troupe_kept about, troupe_bytes asked, troupe_then then, void *data) {
  question q;
  if (!begin_question(&q, call, ASK_KEPT, then, data)) return;
  wire_put_number(q.out, 1, about);
  wire_put_bytes(q.out, 2, asked);
  /* A request's end isn't told: what is taken in one is to be completed. */
  wire_put_number(q.out, 3, (q.to.call & REQUEST_CALL) == 0 ? q.to.call : 0);
  end_question(&q);
}

/* A message with a number and a text, behind what was written. */
static int say_two(troupe_context *c, uint32_t what, uint64_t number, const char *text) {
  const int wrote = write_rows(c);
  if (wrote != 0) return wrote;
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, what);
  wire_put_number(out, 1, number);
  wire_put_text(out, 2, text);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin);
}

int troupe_send(troupe_context *c, uint64_t connection, const char *event, troupe_bytes args) {
  return connection == 0 ? 0 : say_event(c, event, args, connection);
}

int troupe_disconnect(troupe_context *c, uint64_t connection, const char *reason) {
  return say_two(c, SAY_KICK, connection, reason);
}

int troupe_set_idle(troupe_context *c, int idle) { return say_two(c, SAY_REST, idle != 0, NULL); }

int troupe_sleep(troupe_context *c) { return say_two(c, SAY_END, STOP_SLEEP, NULL); }

int troupe_destroy(troupe_context *c) { return say_two(c, SAY_END, STOP_DESTROY, NULL); }
