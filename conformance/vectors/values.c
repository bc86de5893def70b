/*
 * The C SDK on golden encodings. Each line of standard input is a value's CBOR in hexadecimal; its answer is a line of the
 * value in our JSON, a tab, and its CBOR as C writes it, or "refused".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_value.h"

#define LINE (4u << 20)

static char said[LINE];
static size_t length;

static void say(const char *text) {
  size_t size = strlen(text);
  if (length + size >= sizeof said) abort();
  memcpy(said + length, text, size + 1);
  length += size;
}

static void say_unit(unsigned unit) {
  char text[8];
  snprintf(text, sizeof text, "\\u%04x", unit);
  say(text);
}

static void say_utf8(troupe_bytes text) {
  say("\"");
  for (size_t at = 0; at < text.size; at += 1) {
    char byte[2] = {(char)text.data[at], 0};
    if (text.data[at] < 0x20 || text.data[at] == '"' || text.data[at] == '\\') say_unit(text.data[at]);
    else say(byte);
  }
  say("\"");
}

static void say_utf16(troupe_bytes text) {
  say("\"");
  for (size_t at = 0; at < text.size; at += 2) say_unit((unsigned)text.data[at] | (unsigned)text.data[at + 1] << 8);
  say("\"");
}

static void say_base64(troupe_bytes bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size; at += 3) {
    uint32_t group = 0;
    for (size_t next = at; next < at + 3; next += 1) group = group << 8 | (next < bytes.size ? bytes.data[next] : 0u);
    char four[5] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63], digits[group & 63], 0};
    if (at + 2 > bytes.size - 1) four[3] = '=';
    if (at + 1 > bytes.size - 1) four[2] = '=';
    say(four);
  }
}

static const char *view_name(uint32_t view) {
  switch (view) {
    case TROUPE_UINT8_ARRAY: return "Uint8Array";
    case TROUPE_UINT8_CLAMPED_ARRAY: return "Uint8ClampedArray";
    case TROUPE_UINT16_ARRAY: return "Uint16Array";
    case TROUPE_UINT32_ARRAY: return "Uint32Array";
    case TROUPE_BIG_UINT64_ARRAY: return "BigUint64Array";
    case TROUPE_INT8_ARRAY: return "Int8Array";
    case TROUPE_INT16_ARRAY: return "Int16Array";
    case TROUPE_INT32_ARRAY: return "Int32Array";
    case TROUPE_BIG_INT64_ARRAY: return "BigInt64Array";
    case TROUPE_FLOAT16_ARRAY: return "Float16Array";
    case TROUPE_FLOAT32_ARRAY: return "Float32Array";
    case TROUPE_FLOAT64_ARRAY: return "Float64Array";
    case TROUPE_ARRAY_BUFFER: return "ArrayBuffer";
    default: return "DataView";
  }
}

/* The digits of a magnitude, by dividing it by ten until nothing is left. */
static void say_decimal(const troupe_value *item) {
  static uint8_t rest[TROUPE_BIGINT_BYTES + 1];
  static char digits[3 * sizeof rest];
  size_t size = item->bytes.size + 1, at = sizeof digits - 1;
  rest[0] = 0;
  if (size > 1) memcpy(rest + 1, item->bytes.data, size - 1);
  for (size_t byte = size; !item->truth && byte > 0 && ++rest[byte - 1] == 0;) byte -= 1;
  for (int left = 1; left;) {
    unsigned remainder = 0;
    left = 0;
    for (size_t byte = 0; byte < size; byte += 1) {
      unsigned dividend = remainder << 8 | rest[byte];
      rest[byte] = (uint8_t)(dividend / 10);
      remainder = dividend % 10;
      left |= rest[byte];
    }
    digits[--at] = (char)('0' + remainder);
  }
  if (!item->truth) say("-");
  say(digits + at);
}

static void say_number(double number) {
  char text[40];
  int plain = number - number == 0 && !(number == 0 && 1 / number < 0);
  snprintf(text, sizeof text, "%.17g", number);
  if (plain) say(text);
  else say(number != number   ? "[\"$Number\",\"NaN\"]"
           : number == 0      ? "[\"$Number\",\"-0\"]"
           : number > 0       ? "[\"$Number\",\"Infinity\"]"
                              : "[\"$Number\",\"-Infinity\"]");
}

static void say_date(double ms) {
  char text[40];
  snprintf(text, sizeof text, "%" PRId64, ms == ms ? (int64_t)ms : 0);
  say("[\"$Date\",");
  say(ms == ms ? text : "null");
  say("]");
}

static int value(troupe_reader *reader, troupe_writer *writer);

/* Elements, or members, or entries. Each `open` and `close` is what stands around one. */
static int items(troupe_reader *reader, troupe_writer *writer, size_t count, const char *const around[3]) {
  for (size_t at = 0; at < count; at += 1) {
    if (at > 0) say(",");
    say(around[0]);
    if (value(reader, writer) != 0) return -1;
    if (around[1] == NULL) continue;
    say(around[1]);
    if (value(reader, writer) != 0) return -1;
    say(around[2]);
  }
  return 0;
}

/* A list that begins with a text that begins with "$" is written with one more. */
static int list(troupe_reader *reader, troupe_writer *writer, size_t count) {
  static const char *const element[3] = {"", NULL, NULL};
  say("[");
  size_t begin = length;
  if (items(reader, writer, count, element) != 0) return -1;
  if (said[begin] == '"' && said[begin + 1] == '$') {
    memmove(said + begin + 2, said + begin + 1, length - begin);
    length += 1;
  }
  say("]");
  return 0;
}

static int container(troupe_reader *reader, troupe_writer *writer, const troupe_value *item) {
  static const char *const element[3] = {"", NULL, NULL};
  static const char *const member[3] = {"", ":", ""};
  static const char *const entry[3] = {"[", ",", "]"};
  const char *before = "{", *behind = "}";
  const char *const *around = member;
  if (item->kind == TROUPE_LIST) return list(reader, writer, item->count);
  if (item->kind == TROUPE_ERROR) before = "[\"$Error\",{", behind = "}]";
  if (item->kind == TROUPE_MAP) before = "[\"$Map\",[", behind = "]]", around = entry;
  if (item->kind == TROUPE_SET) before = "[\"$Set\",[", behind = "]]", around = element;
  if (item->kind == TROUPE_REGEXP) before = "[\"$RegExp\",[", behind = "]]", around = element;
  say(before);
  if (items(reader, writer, item->count, around) != 0) return -1;
  say(behind);
  return 0;
}

static int value(troupe_reader *reader, troupe_writer *writer) {
  troupe_value item;
  if (troupe_next(reader, &item) != 0 || item.kind == TROUPE_END) return -1;
  troupe_put(writer, &item);
  switch (item.kind) {
    case TROUPE_NULL: say("null"); return 0;
    case TROUPE_UNDEFINED: say("[\"$Undefined\"]"); return 0;
    case TROUPE_BOOLEAN: say(item.truth ? "true" : "false"); return 0;
    case TROUPE_NUMBER: say_number(item.number); return 0;
    case TROUPE_DATE: say_date(item.number); return 0;
    case TROUPE_TEXT: say_utf8(item.bytes); return 0;
    case TROUPE_UTF16: say_utf16(item.bytes); return 0;
    case TROUPE_BIGINT:
      say("[\"$BigInt\",\"");
      say_decimal(&item);
      say("\"]");
      return 0;
    case TROUPE_BYTES:
      say("[\"$");
      say(view_name(item.view));
      say("\",\"");
      say_base64(item.bytes);
      say("\"]");
      return 0;
    default: return container(reader, writer, &item);
  }
}

/* The value again, stepped over: whatever was read can be. */
static int skips(troupe_bytes cbor) {
  troupe_reader reader;
  troupe_value item;
  troupe_read(&reader, cbor);
  if (troupe_next(&reader, &item) != 0 || troupe_skip(&reader, &item) != 0) return 0;
  return troupe_next(&reader, &item) == 0 && item.kind == TROUPE_END;
}

static void answer(troupe_bytes cbor) {
  troupe_reader reader;
  troupe_writer writer = {0};
  troupe_value end;
  length = 0;
  troupe_read(&reader, cbor);
  int read = value(&reader, &writer) == 0 && troupe_next(&reader, &end) == 0 && end.kind == TROUPE_END;
  if (read != skips(cbor) || writer.failed) abort();
  printf("%s%s", read ? said : "refused", read ? "\t" : "");
  for (size_t at = 0; read && at < writer.size; at += 1) printf("%02x", writer.data[at]);
  printf("\n");
  free(writer.data);
}

int main(void) {
  static char line[LINE];
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t size = strcspn(line, "\n") / 2;
    /* Exactly as many bytes as there are: what is read behind them is found by the sanitizers. */
    uint8_t *bytes = malloc(size + (size == 0));
    for (size_t at = 0; at < size; at += 1) {
      unsigned byte = 0;
      if (sscanf(line + 2 * at, "%2x", &byte) != 1) abort();
      bytes[at] = (uint8_t)byte;
    }
    troupe_bytes cbor = {bytes, size};
    answer(cbor);
    free(bytes);
  }
  return 0;
}
