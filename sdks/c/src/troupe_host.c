/* What is asked of the host's relay. */
#include "troupe_host.h"

#include "troupe_parts.h"

static int say_question(const troupe_deferred *to, uint64_t number, troupe_question question, troupe_bytes asked) {
  size_t begin;
  wire_writer *out = frame_begin(&to->plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_HOST_CALL);
  wire_put_number(out, 1, number);
  /* An actor's call is none of middleware. */
  wire_put_number(out, 2, to->instance == 0 ? to->call : 0);
  wire_put_number(out, 3, question);
  wire_put_bytes(out, 4, asked);
  wire_end(out, frame);
  return frame_end(&to->plugin->queue, begin);
}

void troupe_ask(troupe_call *call, troupe_question question, troupe_bytes asked, troupe_then then, void *data) {
  const troupe_deferred to = call->to;
  const uint64_t number = wait_begin(call, WAIT_HOST, 0, then, data);
  if (number != 0) wait_said(to.plugin, WAIT_HOST, number, say_question(&to, number, question, asked));
}

int troupe_tell(troupe_call *call, troupe_question question, troupe_bytes asked) {
  return say_question(&call->to, 0, question, asked);
}

int troupe_tell_alone(troupe_plugin *plugin, troupe_question question, troupe_bytes asked) {
  const troupe_deferred nobody = {plugin, 0, 0, NULL};
  return say_question(&nobody, 0, question, asked);
}

int troupe_log(troupe_plugin *plugin, uint32_t level, const char *text) {
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_LOG);
  size_t line = wire_begin(out, 1);
  wire_put_number(out, 1, level);
  wire_put_text(out, 2, text);
  wire_end(out, line);
  wire_end(out, frame);
  return frame_end(&plugin->queue, begin);
}
