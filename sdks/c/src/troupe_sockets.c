/* Raw WebSockets: what the host says of one is a job of its actor's lane, with a copy of the words. */
#include "troupe_socket.h"

#include "troupe_parts.h"

/* Fields of ToActor, and codes of WebSockets. */
enum { SOCKET_OPEN = 11, SOCKET_MESSAGE = 12, SOCKET_CLOSE = 13 };
enum { CODE_LATER = 1013 };

typedef struct {
  troupe_job job;
  troupe_context *context;
  uint32_t what;
  size_t size;
  uint8_t words[];
} socket_job;

static void run_socket(troupe_context *c, uint32_t what, troupe_bytes words) {
  const troupe_sockets *hooks = c->actor->sockets;
  troupe_socket socket = {0, {NULL, 0}, {NULL, 0}};
  troupe_bytes message = {NULL, 0};
  int is_text = 0;
  wire_reader reader = wire_read(words);
  while (wire_next(&reader)) {
    if (reader.field == 1) socket.number = reader.number;
    if (reader.field == 2) socket.url = reader.bytes;
    if (reader.field == 5) socket.protocol = reader.bytes;
    if (reader.field == 2 || reader.field == 3) {
      is_text = reader.field == 2;
      message = reader.bytes;
    }
  }
  if (hooks == NULL || !c->started) return;
  c->failed = 0;
  if (what == SOCKET_OPEN && hooks->opened != NULL) hooks->opened(c, &socket);
  if (what == SOCKET_MESSAGE && hooks->heard != NULL) hooks->heard(c, socket.number, message, is_text);
  if (what == SOCKET_CLOSE && hooks->closed != NULL) hooks->closed(c, socket.number);
  if (write_rows(c) == TROUPE_TOO_LONG)
    say_log(c->plugin, c->instance, "What an actor wrote for a socket is more than a frame holds");
}

static int run_socket_job(troupe_job *job) {
  socket_job *work = (socket_job *)job;
  const troupe_bytes words = {work->words, work->size};
  queue_wait(&work->context->plugin->queue);
  if (!lanes_closing(&work->context->plugin->lanes)) run_socket(work->context, work->what, words);
  free(job);
  return 0;
}

/* `content` is the field that the bytes go to; 0: there are none. */
static int say_socket(troupe_context *c, uint32_t what, uint64_t socket, uint32_t content, troupe_bytes bytes) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, what);
  wire_put_number(out, 1, socket);
  if (content != 0) {
    /* Also an empty one: that it is there says something. */
    const size_t at = wire_begin(out, content);
    wire_put_raw(out, bytes.data, bytes.size);
    wire_end(out, at);
  }
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin);
}

static int say_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, SAY_SOCKET_CLOSE);
  wire_put_number(out, 1, socket);
  wire_put_number(out, 2, code);
  wire_put_text(out, 3, reason);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin);
}

int heard_socket(troupe_context *c, uint32_t what, wire_reader message) {
  const troupe_bytes words = {message.at, (size_t)(message.end - message.at)};
  const troupe_bytes nothing = {NULL, 0};
  uint64_t number = 0;
  while (wire_next(&message))
    if (message.field == 1) number = message.number;
  if (message.bad) return -1;
  if (what == SOCKET_OPEN && say_socket(c, SAY_SOCKET_ACCEPT, number, 0, nothing) < 0) return -1;
  if ((c->actor->flags & TROUPE_QUICK) != 0) {
    run_socket(c, what, words);
    return 0;
  }
  socket_job *work = malloc(sizeof *work + words.size);
  if (work != NULL) {
    memset(work, 0, sizeof *work);
    work->job.run = run_socket_job;
    work->job.bytes = sizeof *work + words.size;
    work->context = c;
    work->what = what;
    work->size = words.size;
    if (words.size > 0) memcpy(work->words, words.data, words.size);
    /* The end of one is heard whatever else waits. */
    if (lanes_add(&c->plugin->lanes, &c->lane, &work->job, what == SOCKET_CLOSE) == JOB_ADDED) return 0;
  }
  free(work);
  return say_close(c, number, CODE_LATER, "actor.overloaded") < 0 ? -1 : 0;
}

static int say_behind(troupe_context *c, uint64_t socket, uint32_t content, troupe_bytes bytes) {
  const int wrote = write_rows(c);
  return wrote != 0 ? wrote : say_socket(c, SAY_SOCKET_MESSAGE, socket, content, bytes);
}

int troupe_socket_text(troupe_context *c, uint64_t socket, troupe_bytes text) { return say_behind(c, socket, 2, text); }

int troupe_socket_bytes(troupe_context *c, uint64_t socket, troupe_bytes bytes) {
  return say_behind(c, socket, 3, bytes);
}

int troupe_socket_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason) {
  const int wrote = write_rows(c);
  return wrote != 0 ? wrote : say_close(c, socket, code, reason);
}
