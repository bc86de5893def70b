/* Reads values out of CBOR. Nothing is believed of a length that the bytes that are left don't bear out. */
#include "troupe_tags.h"
#include "troupe_wire.h"

enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

typedef struct {
  unsigned major;
  unsigned info;
  uint64_t argument;
} head;

static int take(troupe_reader *reader, uint64_t size, troupe_bytes *taken) {
  if (size > reader->rest.size) return -1;
  taken->data = reader->rest.data;
  taken->size = (size_t)size;
  if (size > 0) reader->rest.data += size;
  reader->rest.size -= (size_t)size;
  return 0;
}

/* Lengths are definite: our writers never need the others. */
static int read_head(troupe_reader *reader, head *found) {
  troupe_bytes bytes;
  if (take(reader, 1, &bytes) != 0) return -1;
  found->major = bytes.data[0] >> 5;
  found->info = bytes.data[0] & 31;
  found->argument = found->info;
  if (found->info < 24) return 0;
  if (found->info > 27 || take(reader, 1u << (found->info - 24), &bytes) != 0) return -1;
  found->argument = 0;
  for (size_t at = 0; at < bytes.size; at += 1) found->argument = found->argument << 8 | bytes.data[at];
  return 0;
}

static int read_bytes(troupe_reader *reader, unsigned major, troupe_bytes *bytes) {
  head found;
  return read_head(reader, &found) == 0 && found.major == major ? take(reader, found.argument, bytes) : -1;
}

static double from_double(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double not_a_number(void) { return from_double(UINT64_C(0x7ff8000000000000)); }

static double from_half(unsigned bits) {
  unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 0 ? fraction / 1024.0 / 16384.0 : (1024.0 + fraction) / 1024.0;
  if (exponent == 31) value = fraction == 0 ? from_double(UINT64_C(0x7ff0000000000000)) : not_a_number();
  else if (exponent > 15) value *= (double)(1u << (exponent - 15));
  else if (exponent > 0) value /= (double)(1u << (15 - exponent));
  return (bits & 0x8000) != 0 ? -value : value;
}

static double from_bits(unsigned info, uint64_t bits) {
  float single;
  uint32_t narrow = (uint32_t)bits;
  if (info == 25) return from_half((unsigned)bits);
  if (info == 27) return from_double(bits);
  memcpy(&single, &narrow, sizeof single);
  return (double)single;
}

/* An integer that no number holds is a big one, which has its eight bytes here. */
static int integer(const troupe_reader *reader, const head *found, troupe_value *item) {
  int negative = found->major == NEGATIVE;
  if (found->argument > SAFE_INTEGER - (uint64_t)negative) {
    item->kind = TROUPE_BIGINT;
    item->truth = !negative;
    item->bytes.data = reader->rest.data - 8;
    item->bytes.size = 8;
    return 0;
  }
  item->kind = TROUPE_NUMBER;
  item->number = negative ? -1.0 - (double)found->argument : (double)found->argument;
  return 0;
}

static int simple(const head *found, troupe_value *item) {
  switch (found->info) {
    case 20:
    case 21:
      item->kind = TROUPE_BOOLEAN;
      item->truth = found->info == 21;
      return 0;
    case 22:
      item->kind = TROUPE_NULL;
      return 0;
    case 23:
      item->kind = TROUPE_UNDEFINED;
      return 0;
    case 25:
    case 26:
    case 27:
      item->kind = TROUPE_NUMBER;
      item->number = from_bits(found->info, found->argument);
      return 0;
    default:
      return -1;
  }
}

/* Bytes of a character of UTF-8, by its first; 0: no character begins so. */
static size_t utf8_size(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

static int is_utf8(troupe_bytes text) {
  for (size_t at = 0, size; at < text.size; at += size) {
    const uint8_t *c = text.data + at;
    size = utf8_size(*c);
    if (size == 0 || size > text.size - at) return 0;
    for (size_t next = 1; next < size; next += 1)
      if ((c[next] & 0xc0) != 0x80) return 0;
    /* Longer than it need be, half a surrogate pair, or behind the last character. */
    if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f)) return 0;
    if ((*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f)) return 0;
  }
  return 1;
}

static int enter(troupe_reader *reader, uint64_t count, unsigned each, int keyed) {
  if (reader->depth == TROUPE_VALUE_DEPTH || count > reader->rest.size) return -1;
  size_t items = (size_t)count * each;
  if (items > reader->rest.size || count > reader->entries) return -1;
  reader->entries -= (size_t)count;
  reader->left[reader->depth] = items;
  reader->keyed[reader->depth] = (unsigned char)keyed;
  reader->depth += 1;
  return 0;
}

static int container(troupe_reader *reader, const head *found, troupe_kind kind, troupe_value *item) {
  int pairs = kind == TROUPE_OBJECT || kind == TROUPE_MAP || kind == TROUPE_ERROR;
  if (found->major != (pairs ? MAP : ARRAY)) return -1;
  if (kind == TROUPE_REGEXP && found->argument != 2) return -1;
  item->kind = kind;
  item->count = (size_t)found->argument;
  return enter(reader, found->argument, pairs ? 2 : 1, kind == TROUPE_OBJECT || kind == TROUPE_ERROR);
}

static int tagged_container(troupe_reader *reader, troupe_kind kind, troupe_value *item) {
  head found;
  return read_head(reader, &found) == 0 ? container(reader, &found, kind, item) : -1;
}

static int date(troupe_reader *reader, int seconds, troupe_value *item) {
  head found;
  if (read_head(reader, &found) != 0) return -1;
  if (found.major > NEGATIVE && found.major != SIMPLE) return -1;
  int bad = found.major == SIMPLE ? simple(&found, item) : integer(reader, &found, item);
  if (bad || item->kind != TROUPE_NUMBER) return -1;
  item->kind = TROUPE_DATE;
  if (!seconds) return 0;
  /* Dates have whole milliseconds. Seconds are written for those alone that they hold exactly. */
  double ms = item->number * 1000.0;
  item->number = ms > -4.6e18 && ms < 4.6e18 ? (double)(int64_t)(ms < 0 ? ms - 0.5 : ms + 0.5) : not_a_number();
  return 0;
}

static unsigned element_bytes(uint64_t view) {
  switch (view) {
    case TROUPE_UINT8_CLAMPED_ARRAY:
    case TROUPE_INT8_ARRAY:
    case TROUPE_ARRAY_BUFFER:
    case TROUPE_DATA_VIEW:
      return 1;
    case TROUPE_UINT16_ARRAY:
    case TROUPE_INT16_ARRAY:
    case TROUPE_FLOAT16_ARRAY:
      return 2;
    case TROUPE_UINT32_ARRAY:
    case TROUPE_INT32_ARRAY:
    case TROUPE_FLOAT32_ARRAY:
      return 4;
    case TROUPE_BIG_UINT64_ARRAY:
    case TROUPE_BIG_INT64_ARRAY:
    case TROUPE_FLOAT64_ARRAY:
      return 8;
    default:
      return 0;
  }
}

static int view(troupe_reader *reader, uint64_t tag, troupe_value *item) {
  unsigned each = tag == TAG_UINT8 ? 1 : element_bytes(tag);
  if (each == 0 || read_bytes(reader, BYTES, &item->bytes) != 0) return -1;
  item->kind = TROUPE_BYTES;
  item->view = tag == TAG_UINT8 ? TROUPE_UINT8_ARRAY : (uint32_t)tag;
  return item->bytes.size % each == 0 ? 0 : -1;
}

static int tagged(troupe_reader *reader, uint64_t tag, troupe_value *item) {
  switch (tag) {
    case TAG_SECONDS:
    case TAG_MILLISECONDS:
      return date(reader, tag == TAG_SECONDS, item);
    case TAG_BIGINT:
    case TAG_NEGATIVE_BIGINT:
      item->kind = TROUPE_BIGINT;
      item->truth = tag == TAG_BIGINT;
      return read_bytes(reader, BYTES, &item->bytes) == 0 && item->bytes.size <= TROUPE_BIGINT_BYTES ? 0 : -1;
    case TAG_SET:
      return tagged_container(reader, TROUPE_SET, item);
    case TAG_MAP:
      return tagged_container(reader, TROUPE_MAP, item);
    case TAG_ERROR:
      return tagged_container(reader, TROUPE_ERROR, item);
    case TAG_REGEXP:
      return tagged_container(reader, TROUPE_REGEXP, item);
    case TAG_UTF16:
      item->kind = TROUPE_UTF16;
      return read_bytes(reader, BYTES, &item->bytes) == 0 && item->bytes.size % 2 == 0 ? 0 : -1;
    default:
      return view(reader, tag, item);
  }
}

static int any_item(troupe_reader *reader, troupe_value *item) {
  head found;
  if (read_head(reader, &found) != 0) return -1;
  switch (found.major) {
    case UNSIGNED:
    case NEGATIVE:
      return integer(reader, &found, item);
    case BYTES:
      item->kind = TROUPE_BYTES;
      return take(reader, found.argument, &item->bytes);
    case TEXT:
      item->kind = TROUPE_TEXT;
      return take(reader, found.argument, &item->bytes) == 0 && is_utf8(item->bytes) ? 0 : -1;
    case ARRAY:
      return container(reader, &found, TROUPE_LIST, item);
    case MAP:
      return container(reader, &found, TROUPE_OBJECT, item);
    case TAG:
      return tagged(reader, found.argument, item);
    default:
      return simple(&found, item);
  }
}

static int is_key(const troupe_value *item) {
  static const char forbidden[] = "__proto__";
  if (item->kind != TROUPE_TEXT) return item->kind == TROUPE_UTF16;
  return item->bytes.size != sizeof forbidden - 1 || memcmp(item->bytes.data, forbidden, item->bytes.size) != 0;
}

void troupe_read(troupe_reader *reader, troupe_bytes cbor) {
  memset(reader, 0, sizeof *reader);
  reader->rest = cbor;
  reader->entries = TROUPE_VALUE_ENTRIES;
}

int troupe_next(troupe_reader *reader, troupe_value *item) {
  memset(item, 0, sizeof *item);
  while (reader->depth > 0 && reader->left[reader->depth - 1] == 0) reader->depth -= 1;
  if (reader->depth == 0 && reader->begun) return reader->rest.size == 0 ? 0 : -1;
  reader->begun = 1;
  int key = 0;
  if (reader->depth > 0) {
    size_t *left = &reader->left[reader->depth - 1];
    key = reader->keyed[reader->depth - 1] && *left % 2 == 0;
    *left -= 1;
  }
  if (any_item(reader, item) != 0) return -1;
  return key && !is_key(item) ? -1 : 0;
}

int troupe_skip(troupe_reader *reader, const troupe_value *item) {
  if (item->kind < TROUPE_REGEXP) return 0;
  unsigned level = reader->depth;
  troupe_value skipped;
  for (;;) {
    while (reader->depth >= level && reader->left[reader->depth - 1] == 0) reader->depth -= 1;
    if (reader->depth < level) return 0;
    if (troupe_next(reader, &skipped) != 0) return -1;
  }
}

int troupe_integer(const troupe_value *item, int64_t *found) {
  uint64_t magnitude = 0;
  if (item->kind == TROUPE_NUMBER) {
    if (!(item->number >= -9223372036854775808.0 && item->number < 9223372036854775808.0)) return -1;
    *found = (int64_t)item->number;
    return (double)*found == item->number ? 0 : -1;
  }
  if (item->kind != TROUPE_BIGINT) return -1;
  for (size_t at = 0; at < item->bytes.size; at += 1) {
    if (magnitude >> 55 != 0) return -1;
    magnitude = magnitude << 8 | item->bytes.data[at];
  }
  *found = item->truth ? (int64_t)magnitude : -1 - (int64_t)magnitude;
  return 0;
}
