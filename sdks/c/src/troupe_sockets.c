/*
 * Raw WebSockets: what the host says of one is a job of its actor's lane, with a copy of the words. What is known of one is the
 * context's, and of its lane.
 */
#include "troupe_socket.h"

#include "troupe_parts.h"

/* Fields of ToActor, and codes of WebSockets. */
enum { SOCKET_OPEN = 11, SOCKET_MESSAGE = 12, SOCKET_CLOSE = 13 };
enum { CODE_LATER = 1013 };

/* Bytes live behind it; the state by itself. */
typedef struct {
  troupe_socket socket; /* first: it is this */
  int stays;            /* while the actor sleeps */
  int changed;          /* its state */
  uint8_t *state;
  uint8_t bytes[];
} known_socket;

typedef struct {
  troupe_job job;
  troupe_context *context;
  uint32_t what;
  size_t size;
  uint8_t words[];
} socket_job;

static known_socket *mine(troupe_socket *socket) { return (known_socket *)socket; }

static troupe_socket *find_socket(const troupe_context *c, uint64_t number) {
  troupe_socket *at = c->sockets;
  while (at != NULL && at->number != number) at = at->next;
  return at;
}

static troupe_bytes keep(uint8_t **at, troupe_bytes from) {
  const troupe_bytes kept = {*at, from.size};
  if (from.size > 0) memcpy(*at, from.data, from.size);
  *at += from.size;
  return kept;
}

static int keep_state(known_socket *known, troupe_bytes value) {
  uint8_t *state = malloc(value.size + 1), *at = state;
  if (state == NULL) return -1;
  free(known->state);
  known->state = state;
  known->socket.state = keep(&at, value);
  return 0;
}

/* A copy of what was read of it is the actor's. NULL: no memory. */
static troupe_socket *enter(troupe_context *c, const troupe_socket *read, int stays) {
  known_socket *made =
      calloc(1, sizeof *made + read->url.size + read->protocol.size + read->id.size + read->params.size);
  if (made == NULL) return NULL;
  uint8_t *at = made->bytes;
  made->socket.number = read->number;
  made->socket.url = keep(&at, read->url);
  made->socket.protocol = keep(&at, read->protocol);
  made->socket.id = keep(&at, read->id);
  made->socket.params = keep(&at, read->params);
  made->stays = stays;
  made->socket.next = c->sockets;
  c->sockets = &made->socket;
  return &made->socket;
}

static void leave(troupe_context *c, troupe_socket *socket) {
  troupe_socket **at = &c->sockets;
  while (*at != socket) at = &(*at)->next;
  *at = socket->next;
  free(mine(socket)->state);
  free(mine(socket));
}

const troupe_socket *troupe_first_socket(const troupe_context *c) { return c->sockets; }

const troupe_socket *troupe_find_socket(const troupe_context *c, uint64_t socket) { return find_socket(c, socket); }

int troupe_set_socket_state(troupe_context *c, uint64_t socket, troupe_bytes value) {
  troupe_socket *found = find_socket(c, socket);
  if (found == NULL) return 0;
  mine(found)->changed = 1;
  return keep_state(mine(found), value);
}

int put_changed_sockets(wire_writer *out, const troupe_context *c, size_t *bytes) {
  int changed = 0;
  for (troupe_socket *at = c->sockets; at != NULL; at = at->next) {
    if (!mine(at)->changed || !mine(at)->stays) continue;
    changed = 1;
    put_client_state(out, at->id, at->state, bytes);
  }
  return changed;
}

void sockets_known(troupe_context *c) {
  for (troupe_socket *at = c->sockets; at != NULL; at = at->next) mine(at)->changed = 0;
}

void free_sockets(troupe_context *c) {
  while (c->sockets != NULL) leave(c, c->sockets);
}

int stayed_socket(troupe_context *c, wire_reader sleeper) {
  troupe_socket read = {0};
  while (wire_next(&sleeper)) {
    if (sleeper.field == 2) read.number = sleeper.number;
    if (sleeper.field == 3) read.id = sleeper.bytes;
    if (sleeper.field == 4) read.params = sleeper.bytes;
    if (sleeper.field == 5) read.state = sleeper.bytes;
    if (sleeper.field == 6) read.url = sleeper.bytes;
    if (sleeper.field == 8) read.protocol = sleeper.bytes;
  }
  if (sleeper.bad) return -1;
  if (read.number == 0) return 0;
  troupe_socket *known = enter(c, &read, 1);
  return known == NULL || keep_state(mine(known), read.state) != 0 ? -1 : 0;
}

/* A frame of two numbers. As frame_end. */
static int say_numbers(troupe_context *c, uint32_t what, uint64_t socket, uint32_t field, uint64_t number) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, what);
  wire_put_number(out, 1, socket);
  wire_put_number(out, field, number);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin);
}

static int say_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason);

/* What the host said of one. */
typedef struct {
  troupe_socket socket;
  int stays;
  int is_text;
  troupe_bytes message;
} socket_words;

static socket_words read_words(uint32_t what, troupe_bytes words) {
  socket_words read = {0};
  wire_reader reader = wire_read(words);
  while (wire_next(&reader)) {
    if (reader.field == 1) read.socket.number = reader.number;
    if (what == SOCKET_OPEN) {
      if (reader.field == 2) read.socket.url = reader.bytes;
      if (reader.field == 4) read.socket.params = reader.bytes;
      if (reader.field == 5) read.socket.protocol = reader.bytes;
      if (reader.field == 6) read.socket.id = reader.bytes;
      if (reader.field == 7) read.stays = reader.number != 0;
    } else if (reader.field == 2 || reader.field == 3) {
      read.is_text = reader.field == 2;
      read.message = reader.bytes;
    } else if (reader.field == 4) {
      read.socket.index = reader.number;
    }
  }
  return read;
}

static void run_socket(troupe_context *c, uint32_t what, troupe_bytes words) {
  const troupe_sockets *hooks = c->actor->sockets;
  const socket_words said = read_words(what, words);
  const uint64_t number = said.socket.number, index = said.socket.index;
  if (hooks == NULL || !c->started) return;
  c->failed = 0;
  troupe_socket *socket = what == SOCKET_OPEN ? enter(c, &said.socket, said.stays) : find_socket(c, number);
  if (socket == NULL) {
    /* What comes behind its end is nobody's. */
    if (what == SOCKET_OPEN) say_close(c, number, CODE_LATER, "actor.overloaded");
    return;
  }
  if (what == SOCKET_OPEN && hooks->opened != NULL) hooks->opened(c, socket);
  if (what == SOCKET_MESSAGE) {
    socket->index = index;
    if (hooks->heard != NULL) hooks->heard(c, number, said.message, said.is_text);
  }
  if (what == SOCKET_CLOSE && hooks->closed != NULL) hooks->closed(c, number);
  if (write_rows(c) == TROUPE_TOO_LONG)
    say_log(c->plugin, c->instance, "What an actor wrote for a socket is more than a frame holds");
  if (what == SOCKET_CLOSE) leave(c, socket);
  /* Behind what it wrote: the host doesn't say it again. */
  if (index > 0) say_numbers(c, SAY_SOCKET_ACKNOWLEDGE, number, 2, index);
}

static int run_socket_job(troupe_job *job) {
  socket_job *work = (socket_job *)job;
  const troupe_bytes words = {work->words, work->size};
  queue_wait(&work->context->plugin->queue);
  if (!lanes_closing(&work->context->plugin->lanes)) run_socket(work->context, work->what, words);
  free(job);
  return 0;
}

/* `content` is the field that the bytes go to. */
static int say_message(troupe_context *c, uint64_t socket, uint32_t content, troupe_bytes bytes) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, SAY_SOCKET_MESSAGE);
  wire_put_number(out, 1, socket);
  /* Also an empty one: that it is there says something. */
  const size_t at = wire_begin(out, content);
  wire_put_raw(out, bytes.data, bytes.size);
  wire_end(out, at);
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
  while (wire_next(&message)) continue;
  if (message.bad) return -1;
  const socket_words said = read_words(what, words);
  const uint64_t number = said.socket.number;
  if (what == SOCKET_OPEN && say_numbers(c, SAY_SOCKET_ACCEPT, number, 3, said.stays != 0) < 0) return -1;
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
  return wrote != 0 ? wrote : say_message(c, socket, content, bytes);
}

int troupe_socket_text(troupe_context *c, uint64_t socket, troupe_bytes text) { return say_behind(c, socket, 2, text); }

int troupe_socket_bytes(troupe_context *c, uint64_t socket, troupe_bytes bytes) {
  return say_behind(c, socket, 3, bytes);
}

int troupe_socket_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason) {
  const int wrote = write_rows(c);
  return wrote != 0 ? wrote : say_close(c, socket, code, reason);
}
