/* Frames of answers, and calls that are answered later. */
#include "troupe_around.h"
#include "troupe_kept.h"
#include "troupe_parts.h"

const troupe_error too_long = {"plugin", "frame_too_long", "It is more than a frame holds"};
const troupe_error no_answer = {"plugin", "no_answer", "The plugin's function returned without an answer"};

void put_error_fields(wire_writer *out, troupe_error error) {
  wire_put_text(out, 1, error.group);
  wire_put_text(out, 2, error.code);
  wire_put_text(out, 3, error.message);
  wire_put_number(out, 6, 1);
}

void put_error(wire_writer *out, uint32_t field, troupe_error error) {
  size_t message = wire_begin(out, field);
  put_error_fields(out, error);
  wire_end(out, message);
}

int say(troupe_plugin *plugin, uint64_t instance, uint32_t what, const troupe_error *error) {
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, instance);
  size_t message = wire_begin(out, what);
  if (error != NULL) put_error(out, 1, *error);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&plugin->queue, begin);
}

void say_log(troupe_plugin *plugin, uint64_t instance, const char *text) {
  const uint64_t level_error = 4;
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, instance);
  size_t line = wire_begin(out, SAY_LOG);
  wire_put_number(out, 1, level_error);
  wire_put_text(out, 2, text);
  wire_end(out, line);
  wire_end(out, frame);
  frame_end(&plugin->queue, begin);
}

/* What a call ends with: a value; an error; or one as the host said it. */
typedef struct {
  troupe_bytes value;
  const troupe_error *error;
  troupe_bytes whole_error;
} ending;

static void put_ending(wire_writer *out, const ending *end) {
  wire_put_bytes(out, 2, end->value);
  if (end->error != NULL) put_error(out, 3, *end->error);
  wire_put_bytes(out, 3, end->whole_error);
}

static int send_answer(const troupe_deferred *to, const ending *end) {
  troupe_queue *queue = &to->plugin->queue;
  forget_cancelled(to->plugin, to->instance, to->call);
  if ((to->call & REQUEST_CALL) != 0) return answer_request(to, end->value, end->error, end->whole_error);
  size_t begin;
  wire_writer *out = frame_begin(queue, &begin);
  size_t frame = wire_begin(out, to->instance == 0 ? FRAME_RESULT : FRAME_ACTOR);
  size_t reply = 0;
  if (to->instance != 0) {
    wire_put_number(out, 1, to->instance);
    reply = wire_begin(out, SAY_REPLY);
  }
  wire_put_number(out, 1, to->call);
  put_ending(out, end);
  if (to->instance != 0) wire_end(out, reply);
  wire_end(out, frame);
  return frame_end(queue, begin);
}

static int send_chunk(const troupe_deferred *to, const ending *end) {
  if (end->error == NULL && end->whole_error.size == 0) return answer_chunk(to, &end->value, NULL);
  if (end->error == NULL) return answer_chunk(to, NULL, &end->whole_error);
  wire_writer encoded;
  memset(&encoded, 0, sizeof encoded);
  put_error_fields(&encoded, *end->error);
  const troupe_bytes error = {encoded.data, encoded.size};
  int status = answer_chunk(to, NULL, &error);
  free(encoded.data);
  return status;
}

static int answer(const troupe_deferred *to, const ending *end) {
  static const ending longer = {.error = &too_long};
  int (*send)(const troupe_deferred *, const ending *) = to->sink == NULL ? send_answer : send_chunk;
  int status = send(to, end);
  if (status != TROUPE_TOO_LONG) return status;
  return send(to, &longer) < 0 ? -1 : TROUPE_TOO_LONG;
}

static int answer_call(troupe_call *call, const ending *end) {
  static const ending longer = {.error = &too_long};
  if (call->answered) return 0;
  /* An item of a result is none of its answer. */
  int wrote = leave_call(call, call->to.sink == NULL || end->error != NULL || end->whole_error.size > 0);
  if (wrote < 0) return -1;
  if (wrote == 0) return answer(&call->to, end);
  return answer(&call->to, &longer) < 0 ? -1 : TROUPE_TOO_LONG;
}

int leave_call(troupe_call *call, int joins) {
  call->answered = 1;
  if (call->context == NULL) return 0;
  return write_joined(call->context, joins && (call->to.call & REQUEST_CALL) == 0 ? call->to.call : 0);
}

int troupe_reply(troupe_call *call, troupe_bytes value) {
  const ending end = {.value = value};
  return answer_call(call, &end);
}

int troupe_fail(troupe_call *call, troupe_error error) {
  const ending end = {.error = &error};
  return answer_call(call, &end);
}

int troupe_pass(troupe_call *call, const troupe_outcome *outcome) {
  ending end = {.value = outcome->value, .whole_error = outcome->whole_error};
  if (outcome->error == NULL && outcome->ended && call->to.sink != NULL) return troupe_end(call);
  if (outcome->whole_error.size == 0) end.error = outcome->error;
  return answer_call(call, &end);
}

void refuse_call(const troupe_deferred *to, troupe_error error) {
  const ending end = {.error = &error};
  answer(to, &end);
}

void finish_call(troupe_call *call) {
  if (!call->answered) {
    troupe_fail(call, no_answer);
    return;
  }
  if (call->context == NULL) return;
  int known = call->context->failed;
  /* Nobody waits for an answer that could say it. */
  if (write_rows(call->context) == TROUPE_TOO_LONG && !known)
    say_log(call->to.plugin, call->to.instance, "What an action wrote behind its answer is more than a frame holds");
}

troupe_deferred *troupe_defer(troupe_call *call) {
  static const troupe_error quick = {"plugin", "quick_waits", "An item of a quick actor's result can't be given later"};
  if (call->answered) return NULL;
  if (call->to.sink != NULL && call->context != NULL && call->facts.lane == NULL) {
    /* Whoever gave it would go on with the next one, on a thread that isn't the actor's. */
    troupe_fail(call, quick);
    return NULL;
  }
  if (call->context != NULL && write_rows(call->context) != 0) {
    troupe_fail(call, too_long);
    return NULL;
  }
  troupe_deferred *deferred = malloc(sizeof *deferred);
  if (deferred == NULL) {
    troupe_fail(call, no_memory);
    return NULL;
  }
  *deferred = call->to;
  call->answered = 1;
  lanes_defer(&deferred->plugin->lanes);
  return deferred;
}

static int settle(troupe_deferred *deferred, const ending *end) {
  int status = answer(deferred, end);
  lanes_settled(&deferred->plugin->lanes);
  free(deferred);
  return status;
}

int troupe_settle(troupe_deferred *deferred, troupe_bytes value) {
  const ending end = {.value = value};
  return settle(deferred, &end);
}

int troupe_reject(troupe_deferred *deferred, troupe_error error) {
  const ending end = {.error = &error};
  return settle(deferred, &end);
}

troupe_context *troupe_context_of(const troupe_call *call) { return call->context; }

troupe_plugin *troupe_plugin_of(const troupe_call *call) { return call->to.plugin; }

troupe_bytes troupe_scope(const troupe_call *call) { return call->facts.scope; }

uint32_t troupe_timeout(const troupe_call *call) { return call->facts.timeout_ms; }

uint64_t troupe_message(const troupe_call *call) { return call->facts.message; }

uint32_t troupe_attempt(const troupe_call *call) { return call->facts.attempt; }

uint64_t troupe_connection(const troupe_call *call) { return call->facts.connection; }
