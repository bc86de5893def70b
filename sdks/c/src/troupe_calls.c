/* Frames of answers, and calls that are answered later. */
#include "troupe_parts.h"

const troupe_error too_long = {"plugin", "frame_too_long", "It is more than a frame holds"};

static const troupe_bytes nothing;

void put_error(wire_writer *out, uint32_t field, troupe_error error) {
  size_t message = wire_begin(out, field);
  wire_put_text(out, 1, error.group);
  wire_put_text(out, 2, error.code);
  wire_put_text(out, 3, error.message);
  wire_put_number(out, 6, 1);
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

static int send_answer(const troupe_deferred *to, troupe_bytes value, const troupe_error *error) {
  troupe_queue *queue = &to->plugin->queue;
  size_t begin;
  wire_writer *out = frame_begin(queue, &begin);
  size_t frame = wire_begin(out, to->instance == 0 ? FRAME_RESULT : FRAME_ACTOR);
  size_t reply = 0;
  if (to->instance != 0) {
    wire_put_number(out, 1, to->instance);
    reply = wire_begin(out, SAY_REPLY);
  }
  wire_put_number(out, 1, to->call);
  wire_put_bytes(out, 2, value);
  if (error != NULL) put_error(out, 3, *error);
  if (to->instance != 0) wire_end(out, reply);
  wire_end(out, frame);
  return frame_end(queue, begin);
}

static int answer(const troupe_deferred *to, troupe_bytes value, const troupe_error *error) {
  int status = send_answer(to, value, error);
  if (status != TROUPE_TOO_LONG) return status;
  return send_answer(to, nothing, &too_long) < 0 ? -1 : TROUPE_TOO_LONG;
}

static int answer_call(troupe_call *call, troupe_bytes value, const troupe_error *error) {
  if (call->answered) return 0;
  call->answered = 1;
  int wrote = call->context == NULL ? 0 : write_rows(call->context);
  if (wrote < 0) return -1;
  if (wrote == 0) return answer(&call->to, value, error);
  return answer(&call->to, nothing, &too_long) < 0 ? -1 : TROUPE_TOO_LONG;
}

int troupe_reply(troupe_call *call, troupe_bytes value) { return answer_call(call, value, NULL); }

int troupe_fail(troupe_call *call, troupe_error error) { return answer_call(call, nothing, &error); }

void refuse_call(const troupe_deferred *to, troupe_error error) { answer(to, nothing, &error); }

void finish_call(troupe_call *call) {
  troupe_error none = {"plugin", "no_answer", "The plugin's function returned without an answer"};
  if (!call->answered) {
    troupe_fail(call, none);
    return;
  }
  if (call->context == NULL) return;
  int known = call->context->failed;
  /* Nobody waits for an answer that could say it. */
  if (write_rows(call->context) == TROUPE_TOO_LONG && !known)
    say_log(call->to.plugin, call->to.instance, "What an action wrote behind its answer is more than a frame holds");
}

troupe_deferred *troupe_defer(troupe_call *call) {
  troupe_error no_memory = {"plugin", "no_memory", "There is no memory for the call"};
  if (call->answered) return NULL;
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

static int settle(troupe_deferred *deferred, troupe_bytes value, const troupe_error *error) {
  int status = answer(deferred, value, error);
  lanes_settled(&deferred->plugin->lanes);
  free(deferred);
  return status;
}

int troupe_settle(troupe_deferred *deferred, troupe_bytes value) { return settle(deferred, value, NULL); }

int troupe_reject(troupe_deferred *deferred, troupe_error error) { return settle(deferred, nothing, &error); }
