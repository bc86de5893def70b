/*
 * Streams that are answered.
 *
 *   idle ── the reader wants one ──▶ wanted: a chunk is a call of its own ── it is answered ──▶ idle
 *     └──── stopped, or ended ────▶ over, once, and freed; from `wanted` when that call is answered
 *
 * One step at a time (`going`): where functions run in place, an answer that is given within `chunk` doesn't begin the next one
 * under it, and `over` frees nothing that `chunk` still reads.
 */
#include "troupe_around.h"
#include "troupe_parts.h"

struct troupe_sink {
  troupe_job job;
  troupe_sink *next;
  troupe_context *context; /* NULL: of middleware */
  troupe_deferred to;      /* the call whose answer it is */
  call_facts facts;
  const troupe_source *source;
  void *data;
  uint64_t credits;
  int wanted;  /* a chunk is to be answered */
  int going;   /* a step runs, or is on its way */
  int stopped; /* nothing more is said */
  uint8_t scope[];
};

static void unlink_sink(troupe_waits *waits, troupe_sink *sink) {
  troupe_sink **at = &waits->sinks;
  while (*at != NULL && *at != sink) at = &(*at)->next;
  if (*at != NULL) *at = sink->next;
}

static void want(troupe_sink *sink) {
  troupe_call call = {sink->context, sink->to, sink->facts, 0};
  call.to.sink = sink;
  if (sink->context != NULL) sink->context->failed = 0;
  sink->source->chunk(&call, sink->data);
  finish_call(&call);
}

/* 1: the actor's stop was left to it, and its lane is gone. */
static int end_sink(troupe_sink *sink) {
  troupe_context *c = sink->context;
  if (sink->source->over != NULL) sink->source->over(sink->data);
  forget_cancelled(sink->to.plugin, sink->to.instance, sink->to.call);
  free(sink);
  if (c == NULL || !waits_let_go(c)) return 0;
  run_stop(c);
  return 1;
}

/* As end_sink. */
static int run_steps(troupe_sink *sink) {
  troupe_waits *waits = &sink->to.plugin->waits;
  for (;;) {
    pthread_mutex_lock(&waits->lock);
    int wanted = sink->wanted, over = !wanted && sink->stopped;
    int wants = !wanted && !over && sink->credits > 0;
    if (wants) {
      sink->credits -= 1;
      sink->wanted = 1;
    }
    sink->going = wants || over;
    if (over) unlink_sink(waits, sink);
    pthread_mutex_unlock(&waits->lock);
    if (over) return end_sink(sink);
    if (!wants) return 0;
    want(sink);
  }
}

static int step_job(troupe_job *job) {
  troupe_sink *sink = (troupe_sink *)job;
  queue_wait(&sink->to.plugin->queue);
  return run_steps(sink);
}

/* It is the caller's to go on: nobody else does. */
static void go_on(troupe_sink *sink) {
  troupe_lane *lane = sink->facts.lane;
  sink->job.run = step_job;
  if (lane == NULL || lanes_add(&sink->to.plugin->lanes, lane, &sink->job, 1) != JOB_ADDED) run_steps(sink);
}

/* The answer is a stream: Result, or StreamStart. */
static int say_begin(const troupe_deferred *to) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  size_t frame = wire_begin(out, to->instance == 0 ? FRAME_RESULT : FRAME_ACTOR);
  if (to->instance == 0) {
    wire_put_number(out, 1, to->call);
    wire_put_number(out, 4, 1);
  } else {
    wire_put_number(out, 1, to->instance);
    size_t start = wire_begin(out, SAY_STREAM_START);
    wire_put_number(out, 1, to->call);
    wire_end(out, start);
  }
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

/* An item of an actor's result, or its end. */
static int say_item(const troupe_deferred *to, const troupe_bytes *value, const troupe_bytes *error) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, to->instance);
  size_t item = wire_begin(out, value == NULL ? SAY_REPLY : SAY_STREAM_ITEM);
  wire_put_number(out, 1, to->call);
  if (value != NULL) wire_put_bytes(out, 2, *value);
  if (error != NULL) wire_put_bytes(out, 3, *error);
  wire_end(out, item);
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

int troupe_reply_stream(troupe_call *call, const troupe_source *source, void *data) {
  if (call->answered) return 0;
  if ((call->to.call & REQUEST_CALL) != 0) {
    if (source->over != NULL) source->over(data);
    return troupe_fail(call, no_answer);
  }
  troupe_waits *waits = &call->to.plugin->waits;
  size_t scope = call->facts.scope.size;
  troupe_sink *sink = calloc(1, sizeof *sink + scope);
  if (sink == NULL) {
    if (source->over != NULL) source->over(data);
    troupe_fail(call, no_memory);
    return -1;
  }
  /* What was written before has been said, and isn't a part of its end. */
  if (leave_call(call, 0) != 0) {
    if (source->over != NULL) source->over(data);
    free(sink);
    refuse_call(&call->to, too_long);
    return TROUPE_TOO_LONG;
  }
  sink->context = call->context;
  sink->to = call->to;
  sink->facts = call->facts;
  sink->source = source;
  sink->data = data;
  if (scope > 0) memcpy(sink->scope, call->facts.scope.data, scope);
  sink->facts.scope.data = sink->scope;
  pthread_mutex_lock(&waits->lock);
  sink->next = waits->sinks;
  waits->sinks = sink;
  int closed = waits->closed || (sink->context != NULL && (sink->context->ended || atomic_load(&sink->context->stopping)));
  sink->stopped = sink->going = closed;
  if (sink->context != NULL) sink->context->waiting += 1;
  pthread_mutex_unlock(&waits->lock);
  if (closed) {
    go_on(sink);
    return 0;
  }
  return say_begin(&call->to);
}

static int say_chunk(const troupe_deferred *to, const troupe_bytes *value, const troupe_bytes *error) {
  const uint64_t numbers[2] = {to->call, 0};
  const troupe_bytes none = {NULL, 0};
  if (to->instance != 0) return say_item(to, value, error);
  if (value != NULL) return say_around(to->plugin, FRAME_CHUNK, numbers, *value);
  return say_around(to->plugin, FRAME_CHUNK_END, numbers, error == NULL ? none : *error);
}

int answer_chunk(const troupe_deferred *to, const troupe_bytes *value, const troupe_bytes *error) {
  troupe_sink *sink = to->sink;
  troupe_waits *waits = &to->plugin->waits;
  pthread_mutex_lock(&waits->lock);
  int stopped = sink->stopped;
  pthread_mutex_unlock(&waits->lock);
  int status = stopped ? 0 : say_chunk(to, value, error);
  /* Not said: the caller says why, as the end. */
  if (status == TROUPE_TOO_LONG && value != NULL) return status;
  pthread_mutex_lock(&waits->lock);
  sink->wanted = 0;
  if (value == NULL || status != 0) sink->stopped = 1;
  int mine = !sink->going;
  sink->going = 1;
  pthread_mutex_unlock(&waits->lock);
  if (mine) go_on(sink);
  return status;
}

/* Under the lock: 1 when it is the caller's to go on. */
static int claim(troupe_sink *sink) {
  if (sink->going || sink->wanted) return 0;
  sink->going = 1;
  return 1;
}

static int is_sink(const troupe_sink *sink, const uint64_t *instance, uint64_t call) {
  return (instance == NULL || sink->to.instance == *instance) && (call == 0 || sink->to.call == call);
}

void stop_sinks(troupe_plugin *plugin, const uint64_t *instance, uint64_t call) {
  troupe_waits *waits = &plugin->waits;
  troupe_sink *found;
  do {
    pthread_mutex_lock(&waits->lock);
    found = waits->sinks;
    while (found != NULL && (found->stopped || !is_sink(found, instance, call))) found = found->next;
    int mine = 0;
    if (found != NULL) {
      found->stopped = 1;
      mine = claim(found);
    }
    pthread_mutex_unlock(&waits->lock);
    if (mine) go_on(found);
  } while (found != NULL);
}

static void credit(troupe_plugin *plugin, uint64_t instance, uint64_t call, uint64_t chunks) {
  troupe_waits *waits = &plugin->waits;
  pthread_mutex_lock(&waits->lock);
  troupe_sink *sink = waits->sinks;
  while (sink != NULL && (sink->stopped || !is_sink(sink, &instance, call))) sink = sink->next;
  int mine = 0;
  if (sink != NULL) {
    sink->credits += chunks;
    mine = claim(sink);
  }
  pthread_mutex_unlock(&waits->lock);
  if (mine) go_on(sink);
}

int heard_item_credit(troupe_plugin *plugin, uint64_t instance, wire_reader message) {
  uint64_t call = 0, items = 0;
  while (wire_next(&message)) {
    if (message.field == 1) call = message.number;
    if (message.field == 2) items = message.number;
  }
  if (message.bad) return -1;
  if (instance != 0 && call != 0) credit(plugin, instance, call, items);
  return 0;
}

void heard_credit(troupe_plugin *plugin, wire_reader message) {
  uint64_t call = 0, next = 0, chunks = 0;
  while (wire_next(&message)) {
    if (message.field == 1) call = message.number;
    if (message.field == 2) next = message.number;
    if (message.field == 3) chunks = message.number;
  }
  if (message.bad || next != 0 || call == 0) return;
  if (chunks == 0) {
    const uint64_t middleware = 0;
    stop_sinks(plugin, &middleware, call);
    /* With the stream its call is over, and what a chunk waits for. */
    waits_revoke(plugin, 0, call, &next_revoked);
    return;
  }
  credit(plugin, 0, call, chunks);
}
