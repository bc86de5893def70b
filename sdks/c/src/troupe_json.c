/* Integers out of JSON. The rest of a text is stepped over, and not looked at more closely than that takes. */
#include "troupe_actor.h"

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} json_text;

static int next_is(json_text *text, uint8_t byte) {
  while (text->at < text->end && (*text->at == ' ' || *text->at == '\t' || *text->at == '\n' || *text->at == '\r'))
    text->at += 1;
  if (text->at == text->end || *text->at != byte) return 0;
  text->at += 1;
  return 1;
}

static int ended(json_text *text) {
  json_text behind = *text;
  next_is(&behind, 0);
  return behind.at == behind.end;
}

/* To behind a text's closing quote. */
static int skip_string(json_text *text) {
  for (; text->at < text->end; text->at += 1) {
    if (*text->at == '"') {
      text->at += 1;
      return 0;
    }
    if (*text->at == '\\' && text->at + 1 < text->end) text->at += 1;
  }
  return -1;
}

/* To the comma or the bracket behind a value. */
static int skip_value(json_text *text) {
  size_t depth = 0;
  const uint8_t *start = text->at;
  for (; text->at < text->end; text->at += 1) {
    uint8_t byte = *text->at;
    if (depth == 0 && (byte == ',' || byte == ']')) return text->at == start ? -1 : 0;
    if (byte == '[' || byte == '{') depth += 1;
    if ((byte == ']' || byte == '}') && depth-- == 0) return -1;
    if (byte != '"') continue;
    text->at += 1;
    if (skip_string(text) != 0) return -1;
    text->at -= 1;
  }
  return -1;
}

static int is_digit(const json_text *text) { return text->at < text->end && *text->at >= '0' && *text->at <= '9'; }

static int read_integer(json_text *text, int64_t *value) {
  uint64_t digits = 0;
  int negative = next_is(text, '-');
  uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  const uint8_t *first = text->at;
  for (; is_digit(text); text->at += 1) {
    uint64_t digit = (uint64_t)(*text->at - '0');
    if (digits > (most - digit) / 10) return -1;
    digits = digits * 10 + digit;
  }
  if (text->at == first || (*first == '0' && text->at > first + 1)) return -1;
  *value = negative ? (int64_t)(0 - digits) : (int64_t)digits;
  return 0;
}

int troupe_json_integer(troupe_bytes json, size_t index, int64_t *value) {
  int64_t found;
  json_text text = {json.data, json.size == 0 ? json.data : json.data + json.size};
  if (index != TROUPE_ALONE && !next_is(&text, '[')) return -1;
  for (; index != TROUPE_ALONE && index > 0; index -= 1)
    if (skip_value(&text) != 0 || !next_is(&text, ',')) return -1;
  if (read_integer(&text, &found) != 0) return -1;
  if (index == TROUPE_ALONE ? !ended(&text) : !next_is(&text, ',') && !next_is(&text, ']')) return -1;
  *value = found;
  return 0;
}
