/*
 * Pushes random, cut and changed frames into a plugin of the C SDK, and pulls what it says, while its lanes work. A program
 * of its own, for sanitizers. Its arguments are a seed and a number of plugins that are opened one after the other.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "troupe_actor.h"
#include "troupe_around.h"
#include "troupe_host.h"
#include "troupe_kept.h"
#include "troupe_plugin.h"
#include "troupe_request.h"
#include "troupe_client.h"
#include "troupe_socket.h"
#include "troupe_store.h"

#define MAX_FRAME 4096

static uint64_t state;
/* Of the plugin that is open: the last instance, and one frame of how many is damaged. */
static uint32_t last;
static uint32_t damage;
/* The call of middleware that was made last. */
static uint32_t invoked;
/* The instance of the message that is made, and the call of a result in items that was made last. */
static uint32_t instance, counted, counting;

static uint32_t next(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 11) % below;
}

/* The plugin: an actor on its lane and a quick one, with all that an author can do. */

static const troupe_error unhappy = {"fuzz", "unhappy", "It won't"};

static void add(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t by = 0, count = 0;
  char text[24];
  troupe_json_integer(troupe_state(c, "count"), TROUPE_ALONE, &count);
  if (troupe_json_integer(args, args.size > 5 ? 1 : 0, &by) != 0 || by < -1000 || by > 1000) {
    troupe_fail(call, unhappy);
    return;
  }
  snprintf(text, sizeof text, "%lld", (long long)((count + by) % 100000));
  troupe_set_state(c, "count", troupe_text(text));
  troupe_broadcast(c, "changed", troupe_text("[1]"));
  troupe_reply(call, troupe_text(text));
}

static const uint8_t zeros[MAX_FRAME + 1];
static const troupe_bytes large = {zeros, sizeof zeros};
static const troupe_bytes half = {zeros, sizeof zeros / 2};

/* State, an event and an answer that no frame holds. */
static void swell(troupe_context *c, troupe_call *call, troupe_bytes args) {
  if (args.size % 2 == 0) troupe_set_state(c, "large", large);
  troupe_set_state(c, "count", troupe_text("7"));
  troupe_broadcast(c, "changed", large);
  troupe_reply(call, large);
}

/* Two properties that only together are too much, behind the answer. */
static void behind(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_reply(call, args);
  troupe_set_state(c, "large", half);
  if (args.size % 2 == 0) troupe_set_state(c, "larger", half);
}

static void *settle(void *deferred) {
  troupe_settle(deferred, troupe_text("1"));
  return NULL;
}

static void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  pthread_t thread;
  troupe_set_state(c, "later", args.size == 4 ? large : args);
  troupe_deferred *deferred = troupe_defer(call);
  if (deferred == NULL) return;
  if (args.size % 2 == 0) troupe_settle(deferred, args);
  else if (args.size == 5) troupe_reject(deferred, unhappy);
  else if (pthread_create(&thread, NULL, settle, deferred) == 0) pthread_detach(thread);
  else troupe_reject(deferred, unhappy);
}

static void nothing(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)call;
  (void)args;
}

static void start(troupe_context *c, int is_new) {
  if (is_new) troupe_set_state(c, "count", troupe_text("0"));
  if (troupe_state(c, "bad").size > 0) {
    troupe_fail_start(c, unhappy);
    return;
  }
  troupe_set_data(c, malloc(8));
}

static void stop(troupe_context *c) {
  troupe_set_state(c, "stopped", troupe_state(c, "later").size == 2 ? large : troupe_text("true"));
  free(troupe_data(c));
}

static const troupe_error *accept_some(troupe_bytes params) { return params.size > 2 ? &unhappy : NULL; }

static const troupe_error *listen_some(troupe_bytes params, troupe_bytes event) {
  return params.size > event.size ? &unhappy : NULL;
}

static void came(troupe_context *c, const troupe_client *client) {
  const troupe_bytes id = client->id;
  troupe_set_client_state(c, client->number, id);
  if (client->params.size > 1) troupe_disconnect(c, client->number, "enough");
}

static void went(troupe_context *c, const troupe_client *client) {
  for (const troupe_client *at = troupe_first_client(c); at != NULL; at = at->next)
    troupe_set_client_state(c, at->number, client->state);
}

static const troupe_clients clients = {.connected = came, .disconnected = went, .can_subscribe = listen_some};

static void guard(troupe_call *call, troupe_bytes payload) { troupe_reply(call, payload); }

/* Goes around: asks for the rest, asks the host, and passes on what came; a stream chunk by chunk. Its data is memory, so that
 * one that is forgotten, or had twice, is seen. */
typedef struct {
  uint64_t rest;
} around;

static void pass(troupe_call *call, void *data, const troupe_outcome *outcome) {
  free(data);
  troupe_pass(call, outcome);
}

static void pass_chunk(troupe_call *call, void *data, const troupe_outcome *outcome) {
  around *stream = data;
  /* It is there as long as a chunk is wanted. */
  if (stream->rest == 0) abort();
  if (outcome->ended) stream->rest = UINT64_MAX;
  troupe_pass(call, outcome);
}

static void want_chunk(troupe_call *call, void *data) {
  around *stream = data;
  if (stream->rest == UINT64_MAX) troupe_end(call);
  else troupe_read_chunk(call, stream->rest, pass_chunk, stream);
}

static void over(void *data) { free(data); }

static void rest_came(troupe_call *call, void *data, const troupe_outcome *outcome) {
  static const troupe_source source = {want_chunk, over};
  around *stream = data;
  troupe_tell(call, TROUPE_MARK, outcome->value);
  if (outcome->stream != 0) {
    stream->rest = outcome->stream;
    troupe_reply_stream(call, &source, stream);
  } else if (outcome->error == NULL) {
    troupe_ask(call, TROUPE_DECODE, outcome->value, pass, stream);
  } else {
    pass(call, stream, outcome);
  }
}

static void go_around(troupe_call *call, troupe_bytes payload) {
  around *stream = calloc(1, sizeof *stream);
  if (stream == NULL) abort();
  troupe_call_next(call, payload.size == 3 ? large : payload, rest_came, stream);
}

static void answered(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_context *c = troupe_context_of(call);
  if (outcome->value.size > 0) troupe_set_state(c, "asked", outcome->value);
  pass(call, data, outcome);
}

static void listed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  troupe_row_reader row = {0};
  while (troupe_next_row(outcome, &row)) troupe_kv_put(troupe_context_of(call), row.value, row.key);
  pass(call, data, outcome);
}

/* One thing of the host or another, by the arguments. */
static void ask(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_keys keys = {.start = args, .limit = 3};
  const troupe_other other = {.name = troupe_name(c), .action = "ask", .args = args, .sends = args.size % 2 == 0};
  void *data = malloc(8);
  troupe_kv_put(c, args, args.size % 5 == 4 ? large : args);
  if (args.size % 4 == 2) troupe_kv_delete(c, args);
  troupe_set_state(c, "asked", args.size % 7 == 0 ? large : args);
  troupe_send(c, troupe_connection(call), "changed", args);
  switch (args.size % 6) {
    case 0:
      troupe_ask(call, TROUPE_DIAGNOSTICS, args, answered, data);
      return;
    case 1:
      troupe_kv_get(call, args, listed, data);
      return;
    case 2:
      troupe_kv_list(call, keys, listed, data);
      return;
    case 3:
      troupe_sql(call, "SELECT 1", args, answered, data);
      return;
    case 4:
      troupe_begin(call, 0, answered, data);
      return;
    default:
      troupe_call_other(call, &other, answered, data);
  }
}

static void heard(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text) {
  troupe_set_state(c, "heard", message);
  if (message.size % 3 == 2) troupe_socket_close(c, socket, 1000, "enough");
  else if (is_text) troupe_socket_text(c, socket, message);
  else troupe_socket_bytes(c, socket, message.size % 3 == 1 ? large : message);
  if (message.size == 0) troupe_sleep(c);
}

static void opened(troupe_context *c, const troupe_socket *socket) {
  troupe_socket_text(c, socket->number, socket->url);
  troupe_set_idle(c, 0);
}

/* A result in items: so many, one of them asked for, one later, and one too long. */
typedef struct {
  uint32_t left;
} items;

static void item_came(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  troupe_pass(call, outcome);
}

static void want_item(troupe_call *call, void *data) {
  items *result = data;
  troupe_context *c = troupe_context_of(call);
  pthread_t thread;
  if (c == NULL || result->left == 0) {
    troupe_end(call);
    return;
  }
  result->left -= 1;
  troupe_set_state(c, "count", troupe_text("3"));
  if (result->left % 4 == 3) {
    troupe_kv_get(call, troupe_text("key"), item_came, data);
  } else if (result->left % 4 == 2) {
    troupe_deferred *deferred = troupe_defer(call);
    if (deferred != NULL && (troupe_aborted(call) || pthread_create(&thread, NULL, settle, deferred) != 0)) troupe_reject(deferred, unhappy);
    else if (deferred != NULL) pthread_detach(thread);
  } else {
    troupe_reply(call, result->left == 5 ? large : troupe_text("1"));
  }
}

static void count_down(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static const troupe_source source = {want_item, over};
  items *result = calloc(1, sizeof *result);
  if (result == NULL) abort();
  result->left = (uint32_t)args.size;
  troupe_set_state(c, "later", args);
  troupe_reply_stream(call, &source, result);
}

/* A message of a queue, which is handled at once, fails, or asks first. */
static void job(troupe_context *c, troupe_call *call, troupe_bytes args) {
  if (troupe_message(call) == 0) abort();
  troupe_set_state(c, "count", troupe_text("9"));
  if (troupe_attempt(call) % 3 == 1) troupe_fail(call, unhappy);
  else if (args.size % 2 == 0) troupe_reply(call, args);
  else troupe_kv_get(call, args, answered, malloc(8));
}

/* Asks of queues and schedules, once or again and again. */
static void received(troupe_call *call, void *data, const troupe_outcome *outcome) {
  if (outcome->error != NULL || troupe_aborted(call)) pass(call, data, outcome);
  else troupe_ask_kept(call, TROUPE_QUEUE_COMPLETE, outcome->value, answered, data);
}

static void take(troupe_context *c, troupe_call *call, troupe_bytes args) {
  if (args.size % 3 == 0) troupe_set_state(c, "count", troupe_text("1"));
  troupe_ask_kept(call, 1 + args.size % 10, args.size == 4 ? large : args, received, malloc(8));
}

/* An answer of any size to a request, by any way to answer one. */
static void request_of_client(troupe_context *c, troupe_call *call, const troupe_request *request) {
  static const troupe_header headers[] = {{{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}}, {{NULL, 0}, {NULL, 0}}};
  const troupe_response response = {.status = 201, .headers = headers, .body = request->body.size % 2 == 0 ? large : request->body};
  troupe_header header;
  pthread_t thread;
  for (size_t at = 0; troupe_next_header(request, &at, &header);) troupe_set_state(c, "heard", header.value);
  if (request->method.size == 0) return;
  switch ((request->url.size + request->body.size) % 5) {
    case 0:
      troupe_respond(call, &response);
      return;
    case 1:
      troupe_reply(call, request->body);
      return;
    case 2:
      troupe_fail(call, unhappy);
      return;
    case 3:
      troupe_kv_get(call, request->url, answered, malloc(8));
      return;
    default: {
      troupe_deferred *deferred = troupe_defer(call);
      if (deferred != NULL && pthread_create(&thread, NULL, settle, deferred) == 0) pthread_detach(thread);
      else if (deferred != NULL) troupe_reject(deferred, unhappy);
    }
  }
}

static const troupe_sockets sockets = {.opened = opened, .heard = heard};

static const troupe_action actions[] = {{"add", add},         {"swell", swell}, {"later", later}, {"behind", behind},
                                        {"nothing", nothing}, {"ask", ask},     {"count", count_down}, {"take", take},
                                        {NULL, NULL}};
static const troupe_action queues[] = {{"jobs", job}, {"inbox", NULL}, {NULL, NULL}};
static const char *const events[] = {"changed", NULL};
static const troupe_actor actors[] = {
    {.name = "laned", .actions = actions, .events = events, .start = start, .stop = stop, .accept = accept_some, .clients = &clients, .sockets = &sockets, .queues = queues, .request = request_of_client},
    {.name = "quick", .actions = actions, .events = events, .start = start, .stop = stop, .flags = TROUPE_QUICK, .clients = &clients, .sockets = &sockets, .queues = queues, .request = request_of_client},
    {.name = NULL},
};
static const troupe_middleware middleware[] = {
    {.kind = 1, .name = "laned", .run = guard},
    {.kind = 1, .name = "quick", .run = guard, .flags = TROUPE_QUICK},
    {.kind = 2, .name = "laned", .run = go_around},
    {.kind = 2, .name = "quick", .run = go_around, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {.name = "fuzz",
                                                    .version = "1",
                                                    .encoding = TROUPE_JSON,
                                                    .actors = actors,
                                                    .middleware = middleware,
                                                    .threads = 2};

/* What a host says: field by field, so that all of it is reached, and then damaged now and then. */

typedef struct {
  uint8_t bytes[1024];
  size_t size;
} message;

static void put_tag(message *into, uint32_t tag) {
  if (tag > 0x7f) into->bytes[into->size++] = (uint8_t)(0x80 | (tag & 0x7f));
  into->bytes[into->size++] = (uint8_t)(tag > 0x7f ? tag >> 7 : tag);
}

static void put(message *into, uint32_t field, const void *data, size_t size) {
  if (into->size + size + 8 > sizeof into->bytes || size > 16383) return;
  put_tag(into, field << 3 | 2);
  into->bytes[into->size++] = (uint8_t)(0x80 | (size & 0x7f));
  into->bytes[into->size++] = (uint8_t)(size >> 7);
  memcpy(into->bytes + into->size, data, size);
  into->size += size;
}

static void put_text(message *into, uint32_t field, const char *text) { put(into, field, text, strlen(text)); }

static void put_number(message *into, uint32_t field, uint32_t value) {
  put_tag(into, field << 3);
  into->bytes[into->size++] = (uint8_t)(value & 0x7f);
}

static const char *one_of(const char *const *texts, uint32_t count) { return texts[next(count)]; }

static void put_row(message *into, uint32_t field) {
  static const char *const keys[] = {"count", "count", "large", "bad", ""};
  message row = {{0}, 0};
  put_number(&row, 1, next(4));
  put_text(&row, 2, one_of(keys, next(8) == 0 ? 5 : 3));
  put_text(&row, 4, next(2) == 0 ? "42" : "");
  put(into, field, row.bytes, row.size);
}

static void put_start(message *into) {
  static const char *const names[] = {"laned", "quick", "other"};
  message start = {{0}, 0};
  put_number(&start, 6, next(2));
  for (uint32_t rows = next(4); rows > 0; rows -= 1) put_row(&start, 8);
  put_text(&start, 9, one_of(names, next(damage) == 0 ? 3 : 2));
  if (next(4) == 0) put_number(&start, 10, 1);
  put(into, 2, start.bytes, start.size);
}

/* A client that stayed. */
static void put_sleeper(message *into) {
  message sleeper = {{0}, 0};
  put_number(&sleeper, 1, next(4));
  put_text(&sleeper, 3, next(4) == 0 ? "" : "id");
  if (next(2) == 0) put_text(&sleeper, 4, "{}");
  if (next(2) == 0) put_text(&sleeper, 5, "5");
  put(into, 3, sleeper.bytes, sleeper.size);
}

static void put_rows(message *into) {
  message rows = {{0}, 0};
  for (uint32_t count = next(3); count > 0; count -= 1) put_row(&rows, 1);
  for (uint32_t count = next(3); count > 0; count -= 1) put_sleeper(&rows);
  if (next(2) == 0) put_number(&rows, 2, 1);
  put(into, 14, rows.bytes, rows.size);
}

/* A Connect, a Disconnect or a Subscribe. */
static void put_client(message *into) {
  message client = {{0}, 0};
  const uint32_t field = 6 + next(3);
  put_number(&client, 1, next(4));
  if (field != 7) put_text(&client, 2, next(3) == 0 ? "" : "changed");
  if (field == 6 && next(2) == 0) put_text(&client, 3, next(2) == 0 ? "{}" : "{\"a\":1}");
  if (field == 8) put_number(&client, 3, next(4));
  if (field == 6) put_number(&client, 4, next(2));
  put(into, field, client.bytes, client.size);
}

static void put_call(message *into) {
  static const char *const names[] = {"add", "swell", "later", "behind", "nothing", "ask", "count", "take", "other"};
  static const char *const of_queues[] = {"jobs", "jobs", "inbox", "other"};
  static const char *const args[] = {"[1]", "[-7]", "[]", "[[5]]", "[\"\\\"", "[1e9]", "5", "",
                                     "[9223372036854775808]", "[\"a,\\\"]\", -3 ]", "[[1,{}],4]", "[\"a\" , "};
  message call = {{0}, 0};
  const uint32_t number = next(4) == 0 ? next(128) : next(8), counts = next(5) == 0;
  const int is_message = !counts && next(6) == 0;
  if (counts) {
    counted = number;
    counting = instance;
  }
  put_number(&call, 1, number);
  put_text(&call, 2, counts ? "count" : is_message ? one_of(of_queues, 4) : one_of(names, 9));
  put_text(&call, 3, one_of(args, 12));
  if (is_message) {
    put_number(&call, 13, 1 + next(100));
    put_number(&call, 14, 1 + next(4));
  }
  put(into, 4, call.bytes, call.size);
}

/* A socket's opening, a message on it, or its end. */
static void put_socket(message *into) {
  message socket = {{0}, 0};
  put_number(&socket, 1, next(4));
  if (next(8) > 0) put_text(&socket, 2 + next(2), next(3) == 0 ? "" : "words");
  put(into, 11 + next(3), socket.bytes, socket.size);
}

/* Credit for a call's items. */
static void put_stream_credit(message *into) {
  message credit = {{0}, 0};
  put_number(&credit, 1, next(8) == 0 ? next(8) : counted);
  put_number(&credit, 2, next(6));
  put(into, 25, credit.bytes, credit.size);
}

/* A request's opening, its body, its end, or credit for the answer's. */
static void put_request(message *into) {
  static const char *const urls[] = {"", "/a", "/ab", "/abc", "/abcd"};
  message request = {{0}, 0}, header = {{0}, 0};
  const uint32_t field = next(3) == 0 ? 20 : 20 + next(5);
  put_number(&request, 1, next(8));
  if (field == 20) {
    put_text(&header, 1, "name");
    put_text(&header, 2, "value");
    if (next(16) > 0) put_text(&request, 2, "GET");
    put_text(&request, 3, one_of(urls, 5));
    for (uint32_t count = next(3); count > 0; count -= 1) put(&request, 4, header.bytes, header.size);
    if (next(2) == 0) put_number(&request, 6, 1);
  } else if (field == 24) {
    put_number(&request, 2, next(4));
  } else if (field == 22 || next(8) == 0) {
    put_text(&request, 2, one_of(urls, 5));
  }
  put(into, field, request.bytes, request.size);
}

/* An Answer, with rows, an error or a value. */
static void put_asked(message *into) {
  message answer = {{0}, 0}, row = {{0}, 0};
  put_number(&answer, 1, 1 + next(6));
  put_text(&row, 3, "key");
  put_text(&row, 4, "value");
  if (next(4) == 0) put_number(&row, 5, 1);
  for (uint32_t rows = next(3); rows > 0; rows -= 1) put(&answer, 3, row.bytes, row.size);
  if (next(3) == 0) put(&answer, 2, "\x0a\x01g\x12\x01k", 6);
  if (next(2) == 0) put_text(&answer, 4 + next(2), "5");
  put(into, 10, answer.bytes, answer.size);
}

static void put_actor(message *into) {
  message actor = {{0}, 0}, other = {{0}, 0};
  uint32_t what = next(29);
  if (what < 2) last += 1;
  if (last == 0 || next(damage) == 0) last = 1 + next(4);
  instance = what < 2 || last < 4 ? last : last - next(4);
  if (what == 24 || what == 25) instance = counting;
  put_number(&actor, 1, instance);
  put_number(&other, 1, next(8));
  if (next(3) == 0) put_text(&other, 3, "abc");
  if (what < 2) put_start(&actor);
  else if (what == 2) put_rows(&actor);
  else if (what == 3) put(&actor, 3, other.bytes, other.size);
  else if (what == 4 || what >= 26) put_client(&actor);
  else if (what == 5) put(&actor, 5, other.bytes, other.size);
  else if (what > 12 && what < 16) put_asked(&actor);
  else if (what >= 24) put_stream_credit(&actor);
  else if (what >= 18) put_request(&actor);
  else if (what >= 16) put_socket(&actor);
  else put_call(&actor);
  put(into, 2, actor.bytes, actor.size);
}

/* NextResult, Chunk, ChunkEnd, ChunkCredit or HostResult: each has three numbers of small sizes, or bytes in their place. */
static void put_answer(message *into) {
  message answer = {{0}, 0};
  const uint32_t field = 7 + next(5);
  put_number(&answer, 1, field == 11 || next(4) == 0 ? next(8) : invoked);
  if (field == 11) {
    put_text(&answer, 2, "5");
  } else {
    put_number(&answer, 2, field == 10 ? 0 : 1 + next(4));
    if (field == 10) put_number(&answer, 3, next(4));
    else if (field == 8) put_text(&answer, 3, "chunk");
  }
  if (field != 10 && next(4) == 0) put(&answer, field == 7 ? 4 : 3, "\x0a\x01g\x12\x01k\x1a\x02it", 10);
  if (field == 7 && next(4) > 0) put_number(&answer, 5, 1);
  put(into, field, answer.bytes, answer.size);
}

static size_t make(uint8_t *into) {
  static const char *const names[] = {"laned", "quick", "other"};
  message frame = {{0}, 0}, body = {{0}, 0};
  uint32_t what = next(32);
  if (what == 20) what = 1;
  uint32_t number = next(2) == 0 ? next(128) : 1 + next(7);
  put_number(&body, 1, number);
  if (what == 1) {
    invoked = number;
    put_text(&body, 2, one_of(names, 3));
    put_number(&body, 3, next(3));
    put_text(&body, 4, "{}");
  }
  if (what == 0) put(&frame, 1, "\x0a\x01\x01", 3);
  else if (what == 1) put(&frame, 3, body.bytes, body.size);
  else if (what == 2) put(&frame, 5, body.bytes, body.size);
  else if (what == 3) put(&frame, 4, body.bytes, body.size);
  else if (what > 20) put_answer(&frame);
  else put_actor(&frame);
  size_t size = frame.size;
  if (next(damage) == 0) frame.bytes[next((uint32_t)size)] = (uint8_t)next(256);
  if (next(3 * damage) == 0) size = next((uint32_t)size + 1);
  if (next(8 * damage) == 0)
    for (size_t at = 0; at < size; at += 1) frame.bytes[at] = (uint8_t)next(256);
  memcpy(into, frame.bytes, size);
  return size;
}

/* Its own allocation, of its own size: a byte too many is seen. */
static int push(troupe_plugin *plugin) {
  uint8_t frame[1024];
  size_t size = make(frame);
  uint8_t *framed = malloc(size + 4);
  if (framed == NULL) abort();
  for (int at = 0; at < 4; at += 1) framed[at] = (uint8_t)(size >> (8 * at));
  if (next(10 * damage) == 0) framed[0] = (uint8_t)next(256);
  memcpy(framed + 4, frame, size);
  int status = troupe_plugin_push(plugin, framed, size + 4);
  free(framed);
  return status;
}

/* Whole frames, none longer than the limit. */
static int pull(troupe_plugin *plugin) {
  static uint8_t into[MAX_FRAME + 4];
  size_t capacity = next(4) == 0 ? next(64) : sizeof into;
  int64_t size = troupe_plugin_pull(plugin, into, capacity);
  if (size < 0) return -size > (int64_t)capacity && -size <= (int64_t)sizeof into ? 0 : -1;
  for (int64_t at = 0; at < size;) {
    int64_t length = into[at] | into[at + 1] << 8 | into[at + 2] << 16 | (int64_t)into[at + 3] << 24;
    at += 4 + length;
    if (at > size) return -1;
  }
  return size > (int64_t)capacity ? -1 : 0;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  state = strtoull(arguments[1], NULL, 10) * 2 + 1;
  long rounds = strtol(arguments[2], NULL, 10);
  int ends[2];
  long taken = 0, broken = 0, full = 0;
  if (pipe(ends) != 0) return 2;
  for (long round = 0; round < rounds; round += 1) {
    troupe_host host = {sizeof host, TROUPE_ABI, ends[1], TROUPE_WAKE_FD, MAX_FRAME, 8 + next(64)};
    uint8_t woken[64];
    troupe_plugin *plugin = NULL;
    if (troupe_plugin_open(&host, NULL, 0, &plugin) != 0) return 3;
    int status = 0;
    last = counting = 0;
    damage = next(2) == 0 ? 10 : 10000;
    for (int step = 0; step < 60 && status >= 0; step += 1) {
      status = push(plugin);
      if (status == 0) taken += 1;
      if (status == 1) full += 1;
      if (next(2) == 0 && pull(plugin) != 0) return 6;
    }
    if (status < 0) broken += 1;
    /* One that has no time may leave a thread behind, which frees it all. */
    uint32_t time = next(20) == 0 ? 0 : 60000;
    int left = troupe_plugin_close(plugin, time);
    if (left != 0 && (left != 1 || time > 0)) return 4;
    /* The wake's bytes: so few that the pipe is never full. */
    if (write(ends[1], "!", 1) != 1 || read(ends[0], woken, sizeof woken) < 1) return 2;
  }
  printf("taken %ld broken %ld full %ld\n", taken, broken, full);
  /* A run that reached little proves little. */
  return taken > 20 * rounds && broken > 0 && broken < rounds ? 0 : 5;
}
