/* Writes values as CBOR, each in its shortest form, so that every language writes the same bytes. */
#include "troupe_tags.h"
#include "troupe_wire.h"

enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG };

/* Up to here a date's seconds are exact: rounding them twice is off by less than half a millisecond. */
#define EXACT_SECONDS_MS 2251799813685248.0

static void put_big_endian(troupe_writer *writer, uint8_t initial, uint64_t value, unsigned size) {
  uint8_t bytes[9] = {initial};
  for (unsigned at = 0; at < size; at += 1) bytes[1 + at] = (uint8_t)(value >> (8 * (size - 1 - at)));
  wire_put_raw(writer, bytes, 1 + size);
}

static void put_head(troupe_writer *writer, unsigned major, uint64_t argument) {
  uint8_t type = (uint8_t)(major << 5);
  if (argument < 24) put_big_endian(writer, (uint8_t)(type | argument), 0, 0);
  else if (argument <= UINT8_MAX) put_big_endian(writer, type | 24, argument, 1);
  else if (argument <= UINT16_MAX) put_big_endian(writer, type | 25, argument, 2);
  else if (argument <= UINT32_MAX) put_big_endian(writer, type | 26, argument, 4);
  else put_big_endian(writer, type | 27, argument, 8);
}

static void put_string(troupe_writer *writer, unsigned major, troupe_bytes bytes) {
  put_head(writer, major, bytes.size);
  wire_put_raw(writer, bytes.data, bytes.size);
}

static uint64_t bits_of(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

/* What is no integer: -0, infinities and NaN as halves, the rest in single precision where that is exact. */
static void put_float(troupe_writer *writer, double number) {
  int negative = bits_of(number) >> 63 != 0;
  if (number != number) {
    put_big_endian(writer, 0xf9, 0x7e00, 2);
  } else if (number == 0) {
    put_big_endian(writer, 0xf9, 0x8000, 2);
  } else if (number - number != 0) {
    put_big_endian(writer, 0xf9, negative ? 0xfc00 : 0x7c00, 2);
  } else if (number >= -(double)FLT_MAX && number <= (double)FLT_MAX && (double)(float)number == number) {
    float single = (float)number;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    put_big_endian(writer, 0xfa, bits, 4);
  } else {
    put_big_endian(writer, 0xfb, bits_of(number), 8);
  }
}

void troupe_put_number(troupe_writer *writer, double number) {
  const double most = (double)SAFE_INTEGER;
  int whole = number >= -most && number <= most && (double)(int64_t)number == number;
  if (!whole || bits_of(number) == bits_of(-0.0)) put_float(writer, number);
  else if (number >= 0) put_head(writer, UNSIGNED, (uint64_t)number);
  else put_head(writer, NEGATIVE, (uint64_t)(-1 - (int64_t)number));
}

static void put_bigint(troupe_writer *writer, int positive, troupe_bytes magnitude) {
  while (magnitude.size > 0 && *magnitude.data == 0) {
    magnitude.data += 1;
    magnitude.size -= 1;
  }
  put_head(writer, TAG, positive ? TAG_BIGINT : TAG_NEGATIVE_BIGINT);
  put_string(writer, BYTES, magnitude);
}

void troupe_put_integer(troupe_writer *writer, int64_t integer) {
  uint64_t magnitude = integer < 0 ? (uint64_t)(-1 - integer) : (uint64_t)integer;
  if (magnitude <= SAFE_INTEGER - (uint64_t)(integer < 0)) {
    put_head(writer, integer < 0 ? NEGATIVE : UNSIGNED, magnitude);
    return;
  }
  uint8_t bytes[8];
  for (unsigned at = 0; at < 8; at += 1) bytes[at] = (uint8_t)(magnitude >> (56 - 8 * at));
  troupe_bytes all = {bytes, sizeof bytes};
  put_bigint(writer, integer >= 0, all);
}

static void put_date(troupe_writer *writer, double ms) {
  int exact = ms != ms || (ms >= -EXACT_SECONDS_MS && ms <= EXACT_SECONDS_MS);
  put_head(writer, TAG, exact ? TAG_SECONDS : TAG_MILLISECONDS);
  troupe_put_number(writer, exact ? ms / 1000.0 : ms);
}

static void put_tagged(troupe_writer *writer, unsigned tag, unsigned major, size_t count) {
  put_head(writer, TAG, tag);
  put_head(writer, major, count);
}

void troupe_put(troupe_writer *writer, const troupe_value *item) {
  switch (item->kind) {
    case TROUPE_END:
      return;
    case TROUPE_NULL:
      put_big_endian(writer, 0xf6, 0, 0);
      return;
    case TROUPE_UNDEFINED:
      put_big_endian(writer, 0xf7, 0, 0);
      return;
    case TROUPE_BOOLEAN:
      put_big_endian(writer, item->truth ? 0xf5 : 0xf4, 0, 0);
      return;
    case TROUPE_NUMBER:
      troupe_put_number(writer, item->number);
      return;
    case TROUPE_DATE:
      put_date(writer, item->number);
      return;
    case TROUPE_TEXT:
      put_string(writer, TEXT, item->bytes);
      return;
    case TROUPE_UTF16:
      put_head(writer, TAG, TAG_UTF16);
      put_string(writer, BYTES, item->bytes);
      return;
    case TROUPE_BYTES:
      if (item->view != TROUPE_UINT8_ARRAY) put_head(writer, TAG, item->view);
      put_string(writer, BYTES, item->bytes);
      return;
    case TROUPE_BIGINT:
      put_bigint(writer, item->truth, item->bytes);
      return;
    case TROUPE_REGEXP:
      put_tagged(writer, TAG_REGEXP, ARRAY, 2);
      return;
    case TROUPE_ERROR:
      put_tagged(writer, TAG_ERROR, MAP, item->count);
      return;
    case TROUPE_LIST:
      put_head(writer, ARRAY, item->count);
      return;
    case TROUPE_OBJECT:
      put_head(writer, MAP, item->count);
      return;
    case TROUPE_MAP:
      put_tagged(writer, TAG_MAP, MAP, item->count);
      return;
    case TROUPE_SET:
      put_tagged(writer, TAG_SET, ARRAY, item->count);
      return;
  }
}

troupe_bytes troupe_text(const char *text) {
  troupe_bytes bytes = {(const uint8_t *)text, strlen(text)};
  return bytes;
}

void troupe_put_text(troupe_writer *writer, const char *text) { put_string(writer, TEXT, troupe_text(text)); }

void troupe_put_bytes(troupe_writer *writer, troupe_bytes bytes) { put_string(writer, BYTES, bytes); }

void troupe_put_list(troupe_writer *writer, size_t count) { put_head(writer, ARRAY, count); }

void troupe_put_object(troupe_writer *writer, size_t count) { put_head(writer, MAP, count); }
