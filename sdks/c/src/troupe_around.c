/* Middleware that goes around a call: the rest of it, and streams that are read. */
#include "troupe_around.h"

#include "troupe_parts.h"

int say_around(troupe_plugin *plugin, uint32_t what, const uint64_t numbers[2], troupe_bytes payload) {
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, what);
  wire_put_number(out, 1, numbers[0]);
  wire_put_number(out, 2, numbers[1]);
  wire_put_bytes(out, 3, payload);
  wire_end(out, frame);
  return frame_end(&plugin->queue, begin);
}

void troupe_call_next(troupe_call *call, troupe_bytes payload, troupe_then then, void *data) {
  const troupe_deferred to = call->to;
  const uint64_t number = wait_begin(call, WAIT_NEXT, 0, then, data);
  const uint64_t numbers[2] = {to.call, number};
  if (number != 0) wait_said(to.plugin, WAIT_NEXT, number, say_around(to.plugin, FRAME_NEXT, numbers, payload));
}

static int say_credit(const troupe_deferred *to, uint64_t stream, uint64_t chunks) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_CHUNK_CREDIT);
  wire_put_number(out, 1, to->call);
  wire_put_number(out, 2, stream);
  wire_put_number(out, 3, chunks);
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

void troupe_read_chunk(troupe_call *call, uint64_t stream, troupe_then then, void *data) {
  const troupe_deferred to = call->to;
  const uint64_t number = wait_begin(call, WAIT_CHUNK, stream, then, data);
  if (number != 0) wait_said(to.plugin, WAIT_CHUNK, number, say_credit(&to, stream, 1));
}

int troupe_stop_stream(troupe_call *call, uint64_t stream) { return say_credit(&call->to, stream, 0); }

int troupe_end(troupe_call *call) {
  if (call->answered || call->to.sink == NULL) return 0;
  const int wrote = leave_call(call, 1);
  return wrote != 0 ? wrote : answer_chunk(&call->to, NULL, NULL);
}
