/* A running actor: its state, its events, and what it has to write. */
#include "troupe_parts.h"
#include "troupe_store.h"

static void free_row(troupe_row *row) {
  free(row->name);
  free(row->value);
  free(row->before);
  free(row);
}

void rows_known(troupe_context *c) {
  for (troupe_row *row = c->rows; row != NULL; row = row->next) {
    free(row->before);
    row->before = NULL;
    row->changed = 0;
    row->is_new = 0;
  }
}

/* The state is what the host was told last. */
static void take_back(troupe_context *c) {
  for (troupe_row **at = &c->rows; *at != NULL;) {
    troupe_row *row = *at;
    if (row->changed && row->is_new) {
      *at = row->next;
      free_row(row);
      continue;
    }
    if (row->changed) {
      free(row->value);
      row->value = row->before;
      row->size = row->before_size;
      row->before = NULL;
      row->changed = 0;
    }
    at = &row->next;
  }
}

static void forget_keys(troupe_context *c) {
  while (c->keys != NULL) {
    troupe_key_row *row = c->keys;
    c->keys = row->next;
    free(row);
  }
}

static void put_changed(wire_writer *out, const troupe_row *row) {
  size_t at = wire_begin(out, 1);
  wire_put_number(out, 1, SPACE_STATE);
  wire_put_text(out, 2, row->name);
  troupe_bytes value = {row->value, row->size};
  wire_put_bytes(out, 4, value);
  wire_end(out, at);
}

static void put_key(wire_writer *out, const troupe_key_row *row) {
  const troupe_bytes key = {row->bytes, row->key_size};
  const troupe_bytes value = {row->bytes + row->key_size, row->size};
  size_t at = wire_begin(out, 1);
  wire_put_number(out, 1, SPACE_KV);
  wire_put_bytes(out, 3, key);
  wire_put_bytes(out, 4, value);
  wire_put_number(out, 5, (uint64_t)row->deleted);
  wire_end(out, at);
}

static size_t changed_bytes(const troupe_context *c, int *changed) {
  size_t bytes = 0;
  for (const troupe_row *row = c->rows; row != NULL; row = row->next) {
    if (!row->changed) continue;
    *changed = 1;
    bytes += row->size;
  }
  for (const troupe_key_row *row = c->keys; row != NULL; row = row->next) {
    *changed = 1;
    bytes += row->key_size + row->size;
  }
  *changed |= put_changed_clients(NULL, c, &bytes);
  *changed |= put_changed_sockets(NULL, c, &bytes);
  return bytes;
}

static int say_rows(troupe_context *c, uint64_t joined) {
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  size_t write = wire_begin(out, SAY_WRITE);
  for (const troupe_row *row = c->rows; row != NULL; row = row->next)
    if (row->changed) put_changed(out, row);
  for (const troupe_key_row *row = c->keys; row != NULL; row = row->next) put_key(out, row);
  size_t client_bytes = 0;
  put_changed_clients(out, c, &client_bytes);
  put_changed_sockets(out, c, &client_bytes);
  wire_put_number(out, 4, joined);
  wire_end(out, write);
  wire_end(out, frame);
  return frame_end(&c->plugin->queue, begin);
}

int write_rows(troupe_context *c) { return write_joined(c, 0); }

int write_joined(troupe_context *c, uint64_t call) {
  int changed = 0;
  size_t bytes = changed_bytes(c, &changed);
  /* Known to be too long before it is copied. */
  if (bytes > c->plugin->queue.max_frame) c->failed = 1;
  if (changed && !c->failed) {
    int status = say_rows(c, call);
    if (status < 0) return -1;
    if (status == 0) rows_known(c);
    else c->failed = 1;
  }
  forget_keys(c);
  clients_known(c);
  sockets_known(c);
  if (!c->failed) return 0;
  take_back(c);
  return TROUPE_TOO_LONG;
}

/* Each key at most once: the last one counts. */
static int write_key(troupe_context *c, troupe_bytes key, troupe_bytes value, int deleted) {
  troupe_key_row *row = malloc(sizeof *row + key.size + value.size);
  if (row == NULL) return -1;
  troupe_key_row **at = &c->keys;
  while (*at != NULL && ((*at)->key_size != key.size || memcmp((*at)->bytes, key.data, key.size) != 0)) at = &(*at)->next;
  troupe_key_row *before = *at;
  if (before != NULL) *at = before->next;
  free(before);
  row->deleted = deleted;
  row->key_size = key.size;
  row->size = value.size;
  if (key.size > 0) memcpy(row->bytes, key.data, key.size);
  if (value.size > 0) memcpy(row->bytes + key.size, value.data, value.size);
  row->next = c->keys;
  c->keys = row;
  return 0;
}

int troupe_kv_put(troupe_context *c, troupe_bytes key, troupe_bytes value) { return write_key(c, key, value, 0); }

int troupe_kv_delete(troupe_context *c, troupe_bytes key) {
  const troupe_bytes nothing = {NULL, 0};
  return write_key(c, key, nothing, 1);
}

void *troupe_data(troupe_context *c) { return c->data; }

void troupe_set_data(troupe_context *c, void *data) { c->data = data; }

static troupe_row *find_row(troupe_context *c, troupe_bytes name) {
  for (troupe_row *row = c->rows; row != NULL; row = row->next)
    if (strlen(row->name) == name.size && (name.size == 0 || memcmp(row->name, name.data, name.size) == 0)) return row;
  return NULL;
}

troupe_bytes troupe_state(troupe_context *c, const char *name) {
  troupe_bytes value = {NULL, 0};
  troupe_row *row = find_row(c, troupe_text(name));
  if (row == NULL) return value;
  value.data = row->value;
  value.size = row->size;
  return value;
}

static char *copy_bytes(troupe_bytes bytes) {
  char *copy = malloc(bytes.size + 1);
  if (copy == NULL) return NULL;
  if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
  copy[bytes.size] = 0;
  return copy;
}

static troupe_row *add_row(troupe_context *c, troupe_bytes name) {
  troupe_row *row = calloc(1, sizeof *row);
  if (row != NULL) row->name = copy_bytes(name);
  if (row == NULL || row->name == NULL) {
    free(row);
    return NULL;
  }
  row->is_new = 1;
  row->next = c->rows;
  c->rows = row;
  return row;
}

troupe_row *put_row(troupe_context *c, troupe_bytes name, troupe_bytes value) {
  uint8_t *copy = (uint8_t *)copy_bytes(value);
  troupe_row *row = copy == NULL ? NULL : find_row(c, name);
  if (copy != NULL && row == NULL) row = add_row(c, name);
  if (row == NULL) {
    free(copy);
    return NULL;
  }
  if (row->changed || row->is_new) {
    free(row->value);
  } else {
    row->before = row->value;
    row->before_size = row->size;
  }
  row->value = copy;
  row->size = value.size;
  row->changed = 1;
  return row;
}

int troupe_set_state(troupe_context *c, const char *name, troupe_bytes value) {
  return put_row(c, troupe_text(name), value) == NULL ? -1 : 0;
}

int troupe_broadcast(troupe_context *c, const char *event, troupe_bytes args) {
  return say_event(c, event, args, 0);
}

/* `repeated uint64` is packed. */
static void put_connection(wire_writer *out, uint64_t connection) {
  if (connection == 0) return;
  const size_t packed = wire_begin(out, 3);
  wire_put_varint(out, connection);
  wire_end(out, packed);
}

int say_event(troupe_context *c, const char *event, troupe_bytes args, uint64_t connection) {
  troupe_queue *queue = &c->plugin->queue;
  if ((c->actor->flags & TROUPE_QUICK) == 0) queue_wait(queue);
  int wrote = write_rows(c);
  if (wrote != 0) return wrote;
  size_t begin;
  wire_writer *out = frame_begin(queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  size_t message = wire_begin(out, SAY_EVENT);
  wire_put_text(out, 1, event);
  wire_put_bytes(out, 2, args);
  put_connection(out, connection);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(queue, begin);
}

void troupe_fail_start(troupe_context *c, troupe_error error) {
  c->refused = 1;
  c->refusal = error;
}

void free_context(troupe_context *c) {
  while (c->rows != NULL) {
    troupe_row *row = c->rows;
    c->rows = row->next;
    free_row(row);
  }
  forget_keys(c);
  free_clients(c);
  free_sockets(c);
  free(c->about);
  free(c);
}
