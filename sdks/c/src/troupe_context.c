/* A running actor: its state, its events, and what it has to write. */
#include <errno.h>

#include "troupe_parts.h"

troupe_bytes troupe_text(const char *text) {
  troupe_bytes bytes = {(const uint8_t *)text, strlen(text)};
  return bytes;
}

int write_rows(troupe_context *c) {
  int changed = 0;
  for (troupe_row *row = c->rows; row != NULL; row = row->next) changed |= row->changed;
  if (!changed) return 0;
  size_t begin;
  wire_writer *out = frame_begin(&c->plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  size_t write = wire_begin(out, SAY_WRITE);
  for (troupe_row *row = c->rows; row != NULL; row = row->next) {
    if (!row->changed) continue;
    row->changed = 0;
    size_t at = wire_begin(out, 1);
    wire_put_number(out, 1, SPACE_STATE);
    wire_put_text(out, 2, row->name);
    troupe_bytes value = {row->value, row->size};
    wire_put_bytes(out, 4, value);
    wire_end(out, at);
  }
  wire_end(out, write);
  wire_end(out, frame);
  if (frame_end(&c->plugin->queue, begin) == 0) return 0;
  /* What isn't stored may not be answered either. */
  queue_break(&c->plugin->queue);
  return -1;
}

void *troupe_data(troupe_context *c) { return c->data; }

void troupe_set_data(troupe_context *c, void *data) { c->data = data; }

static troupe_row *find_row(troupe_context *c, troupe_bytes name) {
  for (troupe_row *row = c->rows; row != NULL; row = row->next)
    if (strlen(row->name) == name.size && memcmp(row->name, name.data, name.size) == 0) return row;
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

troupe_row *put_row(troupe_context *c, troupe_bytes name, troupe_bytes value) {
  uint8_t *copy = (uint8_t *)copy_bytes(value);
  if (copy == NULL) return NULL;
  troupe_row *row = find_row(c, name);
  if (row == NULL) {
    row = calloc(1, sizeof *row);
    if (row != NULL) row->name = copy_bytes(name);
    if (row == NULL || row->name == NULL) {
      free(row);
      free(copy);
      return NULL;
    }
    row->next = c->rows;
    c->rows = row;
  }
  free(row->value);
  row->value = copy;
  row->size = value.size;
  return row;
}

int troupe_set_state(troupe_context *c, const char *name, troupe_bytes value) {
  troupe_row *row = put_row(c, troupe_text(name), value);
  if (row == NULL) return -1;
  row->changed = 1;
  return 0;
}

int troupe_broadcast(troupe_context *c, const char *event, troupe_bytes args) {
  troupe_queue *queue = &c->plugin->queue;
  if (write_rows(c) < 0) return -1;
  size_t begin;
  wire_writer *out = frame_begin(queue, &begin);
  size_t frame = wire_begin(out, FRAME_ACTOR);
  wire_put_number(out, 1, c->instance);
  size_t message = wire_begin(out, SAY_EVENT);
  wire_put_text(out, 1, event);
  wire_put_bytes(out, 2, args);
  wire_end(out, message);
  wire_end(out, frame);
  return frame_end(queue, begin) < 0 ? -1 : 0;
}

troupe_context **find_instance(troupe_plugin *plugin, uint64_t instance) {
  troupe_context **at = &plugin->instances[instance % BUCKETS];
  while (*at != NULL && (*at)->instance != instance) at = &(*at)->next;
  return at;
}

void free_instance(troupe_context **at) {
  troupe_context *c = *at;
  *at = c->next;
  while (c->rows != NULL) {
    troupe_row *row = c->rows;
    c->rows = row->next;
    free(row->name);
    free(row->value);
    free(row);
  }
  free(c);
}

int troupe_json_integer(troupe_bytes json, size_t index, int64_t *value) {
  char text[32];
  const char *at = (const char *)json.data, *end = at + json.size;
  while (at < end && (*at == '[' || *at == ' ')) at += 1;
  for (; index != TROUPE_ALONE && index > 0; index -= 1) {
    while (at < end && *at != ',') at += 1;
    if (at == end) return -1;
    at += 1;
  }
  size_t size = 0;
  for (; at < end && size + 1 < sizeof text; at += 1) {
    if (*at == ' ') continue;
    if (*at != '-' && (*at < '0' || *at > '9')) break;
    text[size++] = *at;
  }
  text[size] = 0;
  char *rest = text;
  errno = 0;
  long long number = strtoll(text, &rest, 10);
  /* A fraction, an exponent, anything that isn't a number, or one that 64 bits can't hold. */
  if (errno == ERANGE || size == 0 || *rest != 0 || (at < end && *at != ',' && *at != ']')) return -1;
  *value = number;
  return 0;
}
