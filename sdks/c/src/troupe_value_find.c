/* Parts of values, where they lie. */
#include "troupe_wire.h"

/* The bytes of the next value, with all that comes with it. */
static int whole_value(troupe_reader *reader, troupe_bytes *value) {
  troupe_value item;
  value->data = reader->rest.data;
  if (troupe_next(reader, &item) != 0 || item.kind == TROUPE_END || troupe_skip(reader, &item) != 0) return -1;
  value->size = (size_t)(reader->rest.data - value->data);
  return 0;
}

int troupe_member(troupe_bytes object, const char *name, troupe_bytes *value) {
  troupe_reader reader;
  troupe_value item, key;
  size_t length = strlen(name);
  troupe_read(&reader, object);
  if (troupe_next(&reader, &item) != 0 || (item.kind != TROUPE_OBJECT && item.kind != TROUPE_ERROR)) return -1;
  for (size_t left = item.count; left > 0; left -= 1) {
    if (troupe_next(&reader, &key) != 0 || whole_value(&reader, value) != 0) return -1;
    if (key.kind == TROUPE_TEXT && key.bytes.size == length && memcmp(key.bytes.data, name, length) == 0) return 0;
  }
  return -1;
}

int troupe_element(troupe_bytes list, size_t index, troupe_bytes *value) {
  troupe_reader reader;
  troupe_value item;
  troupe_read(&reader, list);
  if (troupe_next(&reader, &item) != 0 || item.kind != TROUPE_LIST || index >= item.count) return -1;
  for (size_t at = 0; at <= index; at += 1)
    if (whole_value(&reader, value) != 0) return -1;
  return 0;
}

/* The one item that a value is. */
static int only_item(troupe_bytes value, troupe_value *item) {
  troupe_reader reader;
  troupe_read(&reader, value);
  return troupe_next(&reader, item);
}

int troupe_says(troupe_bytes value, const char *text) {
  troupe_value item;
  const size_t size = strlen(text);
  if (only_item(value, &item) != 0 || item.kind != TROUPE_TEXT || item.bytes.size != size) return 0;
  return size == 0 || memcmp(item.bytes.data, text, size) == 0;
}

int troupe_whole(troupe_bytes value, int64_t *integer) {
  troupe_value item;
  return only_item(value, &item) == 0 ? troupe_integer(&item, integer) : -1;
}

void troupe_put_encoded(troupe_writer *writer, troupe_bytes value) { wire_put_raw(writer, value.data, value.size); }
