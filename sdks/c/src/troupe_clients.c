/*
 * Clients of actors. What they want is answered on the host's thread, which has a list of its own: parameters by number. What the
 * author's functions know is the context's, and of its lane.
 */
#include "troupe_parts.h"

/* Fields of ToActor. */
enum { CLIENT_CONNECT = 6, CLIENT_DISCONNECT = 7, CLIENT_SUBSCRIBE = 8 };

/* Bytes live behind it; the state by itself. */
struct troupe_known_client {
  troupe_client client; /* first: it is this */
  int stays;            /* while the actor sleeps */
  int changed;          /* its state */
  uint8_t *state;
  uint8_t bytes[];
};

/* As the host's thread knows it. */
struct troupe_guest {
  troupe_guest *next;
  uint64_t number;
  size_t size;
  uint8_t params[];
};

typedef struct {
  troupe_job job;
  troupe_context *context;
  troupe_known_client *enters; /* NULL: one leaves */
  uint64_t leaves;
} client_job;

static const troupe_bytes nothing = {NULL, 0};

int knows_clients(const troupe_actor *actor) { return actor->accept != NULL || actor->clients != NULL; }

static uint8_t *copy(uint8_t *to, troupe_bytes from) {
  if (from.size > 0) memcpy(to, from.data, from.size);
  return to;
}

static troupe_known_client *make_client(uint64_t number, troupe_bytes id, troupe_bytes params, int stays) {
  troupe_known_client *made = calloc(1, sizeof *made + id.size + params.size);
  if (made == NULL) return NULL;
  made->client.number = number;
  made->client.id.data = copy(made->bytes, id);
  made->client.id.size = id.size;
  made->client.params.data = copy(made->bytes + id.size, params);
  made->client.params.size = params.size;
  made->stays = stays;
  return made;
}

static void free_client(troupe_known_client *client) {
  if (client == NULL) return;
  free(client->state);
  free(client);
}

static int keep_state(troupe_known_client *client, troupe_bytes value) {
  uint8_t *state = malloc(value.size + 1);
  if (state == NULL) return -1;
  free(client->state);
  client->state = copy(state, value);
  client->client.state.data = state;
  client->client.state.size = value.size;
  return 0;
}

static void enter(troupe_context *c, troupe_known_client *client) {
  client->client.next = c->clients;
  c->clients = &client->client;
}

static troupe_known_client *mine(troupe_client *client) { return (troupe_known_client *)client; }

static troupe_client *find_client(const troupe_context *c, uint64_t connection) {
  troupe_client *at = c->clients;
  while (at != NULL && at->number != connection) at = at->next;
  return at;
}

const troupe_client *troupe_first_client(const troupe_context *c) { return c->clients; }

const troupe_client *troupe_find_client(const troupe_context *c, uint64_t connection) {
  return find_client(c, connection);
}

int troupe_set_client_state(troupe_context *c, uint64_t connection, troupe_bytes value) {
  troupe_client *client = find_client(c, connection);
  if (client == NULL) return 0;
  mine(client)->changed = 1;
  return keep_state(mine(client), value);
}

void put_client_state(wire_writer *out, troupe_bytes id, troupe_bytes state, size_t *bytes) {
  *bytes += id.size + state.size;
  if (out == NULL) return;
  const size_t row = wire_begin(out, 1);
  wire_put_number(out, 1, SPACE_CONNECTION);
  wire_put_bytes(out, 2, id);
  wire_put_bytes(out, 4, state);
  wire_end(out, row);
}

int put_changed_clients(wire_writer *out, const troupe_context *c, size_t *bytes) {
  int changed = 0;
  for (troupe_client *at = c->clients; at != NULL; at = at->next) {
    if (!mine(at)->changed || !mine(at)->stays) continue;
    changed = 1;
    put_client_state(out, at->id, at->state, bytes);
  }
  return changed;
}

void clients_known(troupe_context *c) {
  for (troupe_client *at = c->clients; at != NULL; at = at->next) mine(at)->changed = 0;
}

static void leave(troupe_context *c, troupe_client *client) {
  const troupe_clients *hooks = c->actor->clients;
  troupe_client **at = &c->clients;
  while (*at != client) at = &(*at)->next;
  *at = client->next;
  if (hooks != NULL && hooks->disconnected != NULL) hooks->disconnected(c, client);
  free_client(mine(client));
}

void clients_leave(troupe_context *c) {
  for (troupe_client *at = c->clients; at != NULL;) {
    troupe_client *client = at;
    at = at->next;
    if (!c->sleeps || !mine(client)->stays) leave(c, client);
  }
}

void free_clients(troupe_context *c) {
  while (c->clients != NULL) {
    troupe_known_client *client = mine(c->clients);
    c->clients = client->client.next;
    free_client(client);
  }
  while (c->guests != NULL) {
    troupe_guest *guest = c->guests;
    c->guests = guest->next;
    free(guest);
  }
}

/* Takes what enters. */
static void run_client(troupe_context *c, troupe_known_client *enters, uint64_t leaves) {
  const troupe_clients *hooks = c->actor->clients;
  if (!c->started) {
    free_client(enters);
    return;
  }
  c->failed = 0;
  troupe_client *left = enters == NULL ? find_client(c, leaves) : NULL;
  if (enters != NULL) {
    enter(c, enters);
    if (hooks != NULL && hooks->connected != NULL) hooks->connected(c, &enters->client);
  } else if (left != NULL) {
    leave(c, left);
  }
  if (write_rows(c) == TROUPE_TOO_LONG)
    say_log(c->plugin, c->instance, "What an actor wrote for a connection is more than a frame holds");
}

static int run_client_job(troupe_job *job) {
  client_job *work = (client_job *)job;
  queue_wait(&work->context->plugin->queue);
  if (lanes_closing(&work->context->plugin->lanes)) free_client(work->enters);
  else run_client(work->context, work->enters, work->leaves);
  free(job);
  return 0;
}

/* -1: no memory, or no thread. */
static int add_client_job(troupe_context *c, troupe_known_client *enters, uint64_t leaves) {
  if ((c->actor->flags & TROUPE_QUICK) != 0) {
    run_client(c, enters, leaves);
    return 0;
  }
  client_job *work = calloc(1, sizeof *work);
  if (work != NULL) {
    work->job.run = run_client_job;
    work->context = c;
    work->enters = enters;
    work->leaves = leaves;
    if (lanes_add(&c->plugin->lanes, &c->lane, &work->job, 1) == JOB_ADDED) return 0;
  }
  free(work);
  free_client(enters);
  return -1;
}

static troupe_guest **find_guest(troupe_context *c, uint64_t number) {
  troupe_guest **at = &c->guests;
  while (*at != NULL && (*at)->number != number) at = &(*at)->next;
  return at;
}

/* What the host's thread must know of it to answer for it. Without memory nobody may listen on it. */
static void keep_guest(troupe_context *c, uint64_t number, troupe_bytes params) {
  if (c->actor->clients == NULL || c->actor->clients->can_subscribe == NULL) return;
  troupe_guest *guest = malloc(sizeof *guest + params.size);
  if (guest == NULL) return;
  guest->number = number;
  guest->size = params.size;
  copy(guest->params, params);
  guest->next = c->guests;
  c->guests = guest;
}

/* The answer to what a client wants: an error, or with `stays` a 1 behind it. */
static int say_answer(troupe_context *c, uint32_t what, uint64_t number, const troupe_error *refused, int stays) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  const size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  const size_t message = wire_begin(out, what);
  wire_put_number(out, 1, number);
  if (refused != NULL) put_error(out, 2, *refused);
  else wire_put_number(out, 3, stays != 0);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin) < 0 ? -1 : 0;
}

static int connect_client(troupe_context *c, wire_reader message) {
  uint64_t number = 0;
  troupe_bytes id = nothing, params = nothing;
  int stays = 0;
  while (wire_next(&message)) {
    if (message.field == 1) number = message.number;
    if (message.field == 2) id = message.bytes;
    if (message.field == 3) params = message.bytes;
    if (message.field == 4) stays = message.number != 0;
  }
  if (message.bad) return -1;
  const troupe_error *refused = c->actor->accept == NULL ? NULL : c->actor->accept(params);
  troupe_known_client *client = refused == NULL ? make_client(number, id, params, stays) : NULL;
  if (refused == NULL && client == NULL) refused = &no_memory;
  if (say_answer(c, SAY_CONNECTED, number, refused, stays) != 0) {
    free_client(client);
    return -1;
  }
  if (client == NULL) return 0;
  keep_guest(c, number, params);
  return add_client_job(c, client, 0);
}

static int subscribe_client(troupe_context *c, wire_reader message) {
  uint64_t number = 0, subscription = 0;
  troupe_bytes event = nothing;
  while (wire_next(&message)) {
    if (message.field == 1) number = message.number;
    if (message.field == 2) event = message.bytes;
    if (message.field == 3) subscription = message.number;
  }
  if (message.bad) return -1;
  /* In force already. */
  if (subscription == 0) return 0;
  const troupe_error *refused = NULL;
  if (c->actor->clients != NULL && c->actor->clients->can_subscribe != NULL) {
    const troupe_guest *guest = *find_guest(c, number);
    const troupe_bytes params = {guest == NULL ? NULL : guest->params, guest == NULL ? 0 : guest->size};
    refused = guest == NULL ? &no_memory : c->actor->clients->can_subscribe(params, event);
  }
  return say_answer(c, SAY_SUBSCRIBED, subscription, refused, 0);
}

int heard_client(troupe_context *c, uint32_t what, wire_reader message) {
  if (what == CLIENT_CONNECT) return connect_client(c, message);
  if (what == CLIENT_SUBSCRIBE) return subscribe_client(c, message);
  uint64_t number = 0;
  while (wire_next(&message))
    if (message.field == 1) number = message.number;
  if (message.bad) return -1;
  if (what != CLIENT_DISCONNECT) return 0;
  troupe_guest **at = find_guest(c, number);
  troupe_guest *guest = *at;
  if (guest != NULL) *at = guest->next;
  free(guest);
  return add_client_job(c, NULL, number);
}

int stayed_client(troupe_context *c, wire_reader sleeper) {
  const wire_reader whole = sleeper;
  uint64_t number = 0;
  troupe_bytes id = nothing, params = nothing, state = nothing;
  while (wire_next(&sleeper)) {
    if (sleeper.field == 1) number = sleeper.number;
    if (sleeper.field == 3) id = sleeper.bytes;
    if (sleeper.field == 4) params = sleeper.bytes;
    if (sleeper.field == 5) state = sleeper.bytes;
  }
  if (sleeper.bad) return -1;
  if (number == 0) return stayed_socket(c, whole);
  troupe_known_client *client = make_client(number, id, params, 1);
  if (client == NULL) return -1;
  if (state.size > 0 && keep_state(client, state) != 0) {
    free_client(client);
    return -1;
  }
  keep_guest(c, number, params);
  enter(c, client);
  return 0;
}
