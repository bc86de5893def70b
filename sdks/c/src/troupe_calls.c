/* Frames of answers, and calls that are answered later. */
#include "troupe_parts.h"

void put_error(wire_writer *out, uint32_t field, troupe_error error) {
  size_t message = wire_begin(out, field);
  wire_put_text(out, 1, error.group);
  wire_put_text(out, 2, error.code);
  wire_put_text(out, 3, error.message);
  wire_put_number(out, 6, 1);
  wire_end(out, message);
}

/* A frame of an actor whose message `say` has one field, or none. */
int say(troupe_queue *queue, uint64_t instance, uint32_t what) {
  size_t begin;
  wire_writer *out = frame_begin(queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, instance);
  wire_end(out, wire_begin(out, what));
  wire_end(out, frame);
  return frame_end(queue, begin);
}

static int send_answer(const troupe_deferred *to, troupe_bytes value, const troupe_error *error) {
  size_t begin;
  wire_writer *out = frame_begin(to->queue, &begin);
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
  return frame_end(to->queue, begin);
}

static int answer(const troupe_deferred *to, troupe_bytes value, const troupe_error *error) {
  static const troupe_error too_long = {"plugin", "frame_too_long", "The answer is longer than a frame may be"};
  static const troupe_bytes nothing;
  int status = send_answer(to, value, error);
  return status == 1 ? send_answer(to, nothing, &too_long) : status;
}

static int answer_call(troupe_call *call, troupe_bytes value, const troupe_error *error) {
  if (call->answered) return 0;
  call->answered = 1;
  if (call->context != NULL && write_rows(call->context) < 0) return -1;
  return answer(&call->to, value, error);
}

int troupe_reply(troupe_call *call, troupe_bytes value) { return answer_call(call, value, NULL); }

int troupe_fail(troupe_call *call, troupe_error error) {
  static const troupe_bytes nothing;
  return answer_call(call, nothing, &error);
}

troupe_deferred *troupe_defer(troupe_call *call) {
  troupe_error no_memory = {"plugin", "no_memory", "There is no memory for the call"};
  troupe_deferred *deferred = call->answered ? NULL : malloc(sizeof *deferred);
  if (deferred == NULL) {
    troupe_fail(call, no_memory);
    return NULL;
  }
  *deferred = call->to;
  call->answered = 1;
  queue_defer(deferred->queue);
  return deferred;
}

static int settle(troupe_deferred *deferred, troupe_bytes value, const troupe_error *error) {
  int status = answer(deferred, value, error);
  queue_settled(deferred->queue);
  free(deferred);
  return status;
}

int troupe_settle(troupe_deferred *deferred, troupe_bytes value) { return settle(deferred, value, NULL); }

int troupe_reject(troupe_deferred *deferred, troupe_error error) {
  static const troupe_bytes nothing;
  return settle(deferred, nothing, &error);
}
