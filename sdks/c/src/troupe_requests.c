/*
 * HTTP requests. The host's thread keeps what arrives of one until it is whole; then its function is a job of the actor's lane.
 * The answer's body stands here until the host has taken it all: whoever gives it, or hears of a credit, says as many chunks as there
 * are credits for, under the lock, so that they leave in order.
 */
#include "troupe_request.h"

#include "troupe_limits.h"
#include "troupe_parts.h"

/* Fields of ToActor. */
enum { REQUEST_OPEN = 20, REQUEST_ABORT = 21, BODY_CHUNK = 22, BODY_END = 23, BODY_CREDIT = 24 };

static const troupe_error body_too_long = {"request", "body_too_long", "The body is longer than the plugin takes"};
enum { STATUS_TOO_LONG = 413 };

struct troupe_exchange {
  troupe_exchange *next;
  uint64_t instance;
  uint64_t number;
  uint64_t credits;
  int answered;
  wire_writer words; /* RequestOpen */
  wire_writer body;  /* the request's, and then the answer's */
  size_t said;       /* bytes of it */
};

typedef struct {
  troupe_job job;
  troupe_context *context;
  troupe_deferred to;
  call_facts facts;
  troupe_bytes words;
  troupe_bytes body;
} request_job;

static troupe_exchange **find(troupe_waits *waits, uint64_t instance, uint64_t number) {
  troupe_exchange **at = &waits->exchanges;
  while (*at != NULL && ((*at)->instance != instance || (*at)->number != number)) at = &(*at)->next;
  return at;
}

/* The one that a lane may answer: another of its number, which a host shouldn't send, may still arrive, and is the host's thread's alone. */
static troupe_exchange **find_whole(troupe_waits *waits, uint64_t instance, uint64_t number) {
  troupe_exchange **at = find(waits, instance, number);
  while (*at != NULL && ((*at)->instance != instance || (*at)->number != number || (*at)->words.size > 0)) at = &(*at)->next;
  return at;
}

/* Out of the list, with all of it. */
static void drop(troupe_exchange **at) {
  troupe_exchange *gone = *at;
  *at = gone->next;
  free(gone->words.data);
  free(gone->body.data);
  free(gone);
}

void end_exchanges(troupe_plugin *plugin, uint64_t instance) {
  troupe_waits *waits = &plugin->waits;
  pthread_mutex_lock(&waits->lock);
  for (troupe_exchange **at = &waits->exchanges; *at != NULL;)
    if (instance == 0 || (*at)->instance == instance) drop(at);
    else at = &(*at)->next;
  pthread_mutex_unlock(&waits->lock);
}

/* A word about a request: its number, and one number or bytes more. */
static int say_word(troupe_plugin *plugin, const troupe_exchange *of, uint32_t what, uint64_t number, troupe_bytes bytes) {
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, of->instance);
  const size_t word = wire_begin(out, what);
  wire_put_number(out, 1, of->number);
  wire_put_number(out, 2, number);
  wire_put_bytes(out, 2, bytes);
  wire_end(out, word);
  wire_end(out, frame);
  return frame_end(&plugin->queue, begin);
}

static int say_refusal(const troupe_deferred *to, uint64_t number, const troupe_error *error, troupe_bytes whole, uint32_t status) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, to->instance);
  const size_t answer = wire_begin(out, SAY_REQUEST_ANSWER);
  wire_put_number(out, 1, number);
  if (error == NULL) {
    wire_put_bytes(out, 4, whole);
  } else {
    const size_t message = wire_begin(out, 4);
    put_error_fields(out, *error);
    wire_put_number(out, 7, status);
    wire_end(out, message);
  }
  wire_end(out, answer);
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

static int say_answer(const troupe_deferred *to, uint64_t number, const troupe_response *response) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, to->instance);
  const size_t answer = wire_begin(out, SAY_REQUEST_ANSWER);
  wire_put_number(out, 1, number);
  wire_put_number(out, 2, response->status == 0 ? 200 : response->status);
  for (const troupe_header *header = response->headers; header != NULL && header->name.size > 0; header += 1) {
    const size_t one = wire_begin(out, 3);
    wire_put_bytes(out, 1, header->name);
    wire_put_bytes(out, 2, header->value);
    wire_end(out, one);
  }
  wire_end(out, answer);
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

/* Under the lock: what there are credits for leaves, and behind the last of it the exchange is over. */
static int say_body(troupe_plugin *plugin, troupe_exchange **at) {
  troupe_exchange *one = *at;
  int status = 0;
  while (status == 0 && one->credits > 0 && one->said < one->body.size) {
    const size_t left = one->body.size - one->said;
    const troupe_bytes chunk = {one->body.data + one->said, left < BODY_CHUNK_BYTES ? left : BODY_CHUNK_BYTES};
    status = say_word(plugin, one, SAY_BODY_CHUNK, 0, chunk);
    one->said += chunk.size;
    one->credits -= 1;
  }
  if (status != 0 || one->said < one->body.size) return status;
  const troupe_bytes nothing = {NULL, 0};
  status = say_word(plugin, one, SAY_BODY_END, 0, nothing);
  drop(at);
  return status;
}

static int answer_with(const troupe_deferred *to, const troupe_response *response) {
  troupe_waits *waits = &to->plugin->waits;
  const uint64_t number = to->call & ~REQUEST_CALL;
  wire_writer body;
  memset(&body, 0, sizeof body);
  wire_put_raw(&body, response->body.data, response->body.size);
  if (body.failed) return -1;
  pthread_mutex_lock(&waits->lock);
  troupe_exchange **at = find_whole(waits, to->instance, number);
  int status = 0;
  if (*at == NULL) {
    free(body.data);
  } else {
    free((*at)->body.data);
    (*at)->body = body;
    (*at)->answered = 1;
    status = say_answer(to, number, response);
    if (status == 0) status = say_body(to->plugin, at);
    else drop(at);
  }
  pthread_mutex_unlock(&waits->lock);
  if (status != TROUPE_TOO_LONG) return status;
  const troupe_bytes none = {NULL, 0};
  return say_refusal(to, number, &too_long, none, 0) < 0 ? -1 : TROUPE_TOO_LONG;
}

int answer_request(const troupe_deferred *to, troupe_bytes value, const troupe_error *error, troupe_bytes whole) {
  troupe_waits *waits = &to->plugin->waits;
  const uint64_t number = to->call & ~REQUEST_CALL;
  const troupe_response response = {.body = value};
  if (error == NULL && whole.size == 0) return answer_with(to, &response);
  pthread_mutex_lock(&waits->lock);
  troupe_exchange **at = find_whole(waits, to->instance, number);
  const int there = *at != NULL;
  if (there) drop(at);
  pthread_mutex_unlock(&waits->lock);
  return there ? say_refusal(to, number, error, whole, 0) : 0;
}

int troupe_respond(troupe_call *call, const troupe_response *response) {
  if ((call->to.call & REQUEST_CALL) == 0) return troupe_reply(call, response->body);
  if (call->answered) return 0;
  if (leave_call(call, 0) == 0) return answer_with(&call->to, response);
  const troupe_bytes none = {NULL, 0};
  return answer_request(&call->to, none, &too_long, none) < 0 ? -1 : TROUPE_TOO_LONG;
}

int troupe_next_header(const troupe_request *request, size_t *at, troupe_header *header) {
  const troupe_bytes all = request->headers;
  if (*at >= all.size) return 0;
  const troupe_bytes rest = {all.data + *at, all.size - *at};
  wire_reader reader = wire_read(rest);
  memset(header, 0, sizeof *header);
  while (wire_next(&reader)) {
    *at = all.size - (size_t)(reader.end - reader.at);
    if (reader.field != 4) continue;
    wire_reader one = wire_read(reader.bytes);
    while (wire_next(&one)) {
      if (one.field == 1) header->name = one.bytes;
      if (one.field == 2) header->value = one.bytes;
    }
    return !one.bad;
  }
  *at = all.size;
  return 0;
}

static void run_request(request_job *work) {
  troupe_context *c = work->context;
  troupe_request request = {.body = work->body, .headers = work->words};
  wire_reader reader = wire_read(work->words);
  while (wire_next(&reader)) {
    if (reader.field == 2) request.method = reader.bytes;
    if (reader.field == 3) request.url = reader.bytes;
  }
  troupe_call call = {c, work->to, work->facts, 0};
  if (!c->started || c->actor->request == NULL) {
    refuse_call(&work->to, c->refused ? c->refusal : no_answer);
    return;
  }
  c->failed = 0;
  c->actor->request(c, &call, &request);
  finish_call(&call);
}

void drop_request(troupe_job *job) {
  request_job *work = (request_job *)job;
  free((void *)work->words.data);
  free((void *)work->body.data);
  free(job);
}

static int run_request_job(troupe_job *job) {
  request_job *work = (request_job *)job;
  queue_wait(&work->to.plugin->queue);
  if (lanes_closing(&work->to.plugin->lanes)) refuse_call(&work->to, closing);
  else run_request(work);
  drop_request(job);
  return 0;
}

/* From now on lanes may answer it. */
static void leave_to_lanes(troupe_plugin *plugin, troupe_exchange *exchange) {
  pthread_mutex_lock(&plugin->waits.lock);
  memset(&exchange->body, 0, sizeof exchange->body);
  memset(&exchange->words, 0, sizeof exchange->words);
  pthread_mutex_unlock(&plugin->waits.lock);
}

/* All of it is there. Takes the exchange's bytes with it. */
static void whole(troupe_context *c, troupe_exchange *exchange) {
  const troupe_deferred to = {c->plugin, c->instance, exchange->number | REQUEST_CALL, NULL};
  const int quick = (c->actor->flags & TROUPE_QUICK) != 0;
  request_job *work = calloc(1, sizeof *work);
  if (work == NULL) {
    free(exchange->words.data);
    free(exchange->body.data);
    leave_to_lanes(c->plugin, exchange);
    refuse_call(&to, no_memory);
    return;
  }
  work->job.run = run_request_job;
  work->job.number = to.call;
  work->job.bytes = sizeof *work + exchange->words.size + exchange->body.size;
  work->context = c;
  work->to = to;
  work->facts.lane = quick ? NULL : &c->lane;
  work->words = (troupe_bytes){exchange->words.data, exchange->words.size};
  work->body = (troupe_bytes){exchange->body.data, exchange->body.size};
  leave_to_lanes(c->plugin, exchange);
  if (quick) {
    run_request_job(&work->job);
    return;
  }
  if (lanes_add(&c->plugin->lanes, &c->lane, &work->job, 0) == JOB_ADDED) return;
  drop_request(&work->job);
  refuse_call(&to, overloaded);
}

static int open_exchange(troupe_context *c, uint64_t number, troupe_bytes words, int has_body) {
  troupe_waits *waits = &c->plugin->waits;
  const troupe_bytes nothing = {NULL, 0};
  troupe_exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL) return -1;
  exchange->instance = c->instance;
  exchange->number = number;
  wire_put_raw(&exchange->words, words.data, words.size);
  pthread_mutex_lock(&waits->lock);
  exchange->next = waits->exchanges;
  waits->exchanges = exchange;
  pthread_mutex_unlock(&waits->lock);
  if (exchange->words.failed) return -1;
  if (has_body) return say_word(c->plugin, exchange, SAY_BODY_CREDIT, 1, nothing) < 0 ? -1 : 0;
  whole(c, exchange);
  return 0;
}

static int take_chunk(troupe_context *c, troupe_exchange *exchange, troupe_bytes bytes) {
  const troupe_bytes nothing = {NULL, 0};
  const troupe_deferred to = {c->plugin, c->instance, exchange->number | REQUEST_CALL, NULL};
  if (exchange->body.size + bytes.size <= PLUGIN_REQUEST_BODY_BYTES) {
    wire_put_raw(&exchange->body, bytes.data, bytes.size);
    if (exchange->body.failed) return -1;
    return say_word(c->plugin, exchange, SAY_BODY_CREDIT, 1, nothing) < 0 ? -1 : 0;
  }
  const uint64_t number = exchange->number;
  pthread_mutex_lock(&c->plugin->waits.lock);
  drop(find(&c->plugin->waits, c->instance, number));
  pthread_mutex_unlock(&c->plugin->waits.lock);
  return say_refusal(&to, number, &body_too_long, nothing, STATUS_TOO_LONG) < 0 ? -1 : 0;
}

/* The client is gone, or doesn't want the rest. */
static void forget(troupe_context *c, uint64_t number) {
  troupe_waits *waits = &c->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  troupe_exchange **at = find(waits, c->instance, number);
  if (*at != NULL) drop(at);
  pthread_mutex_unlock(&waits->lock);
  cancel_number(c->plugin, c->instance, number | REQUEST_CALL);
}

static int credited(troupe_context *c, uint64_t number, uint64_t chunks) {
  troupe_waits *waits = &c->plugin->waits;
  int status = 0;
  pthread_mutex_lock(&waits->lock);
  troupe_exchange **at = find(waits, c->instance, number);
  if (*at != NULL) {
    (*at)->credits += chunks;
    if ((*at)->answered) status = say_body(c->plugin, at);
  }
  pthread_mutex_unlock(&waits->lock);
  return status < 0 ? -1 : 0;
}

int heard_request(troupe_context *c, uint32_t what, wire_reader message) {
  const troupe_bytes words = {message.at, (size_t)(message.end - message.at)};
  troupe_bytes bytes = {NULL, 0};
  uint64_t number = 0, second = 0, has_body = 0;
  while (wire_next(&message)) {
    if (message.field == 1) number = message.number;
    if (message.field == 2) bytes = message.bytes;
    if (message.field == 2) second = message.number;
    if (message.field == 6) has_body = message.number;
  }
  if (message.bad) return -1;
  if (what == REQUEST_OPEN) return open_exchange(c, number, words, has_body != 0);
  if (what == BODY_CREDIT) return credited(c, number, second);
  pthread_mutex_lock(&c->plugin->waits.lock);
  troupe_exchange *exchange = *find(&c->plugin->waits, c->instance, number);
  /* Until it is whole, the exchange is the host's thread's alone. */
  const int arrives = exchange != NULL && exchange->words.size > 0;
  pthread_mutex_unlock(&c->plugin->waits.lock);
  if (what == REQUEST_ABORT || (what == BODY_END && bytes.size > 0)) forget(c, number);
  else if (what == BODY_CHUNK && arrives) return take_chunk(c, exchange, bytes);
  else if (what == BODY_END && arrives) whole(c, exchange);
  return 0;
}
