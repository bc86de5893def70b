/* What the host says of an actor when it starts: its name, its id, its key. */
#include "troupe_parts.h"
#include "troupe_store.h"

static char *put(char *to, troupe_bytes text) {
  if (text.size > 0) memcpy(to, text.data, text.size);
  to[text.size] = 0;
  return to + text.size + 1;
}

int keep_about(troupe_context *c, wire_reader start) {
  troupe_bytes name = {NULL, 0}, id = {NULL, 0};
  size_t size = 3;
  for (wire_reader at = start; wire_next(&at);) {
    if (at.field == 1) name = at.bytes;
    if (at.field == 3) id = at.bytes;
    if (at.field == 2) size += at.bytes.size + 1;
  }
  char *to = c->about = calloc(1, size + name.size + id.size);
  if (to == NULL) return -1;
  to = put(put(to, name), id);
  while (wire_next(&start))
    if (start.field == 2) to = put(to, start.bytes);
  c->key_end = to;
  return 0;
}

static const char *behind(const char *text) { return text + strlen(text) + 1; }

const char *troupe_name(const troupe_context *c) { return c->about; }

const char *troupe_actor_id(const troupe_context *c) { return behind(c->about); }

const char *troupe_key(const troupe_context *c, size_t part) {
  const char *at = behind(behind(c->about));
  for (; part > 0 && at < c->key_end; part -= 1) at = behind(at);
  return at < c->key_end ? at : NULL;
}
