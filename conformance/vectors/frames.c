/*
 * The C SDK on golden frames. Each line of standard input is a frame in hexadecimal and, behind a space, what is in it (`fields`
 * of the golden file); its answer is a line of the frame as C writes it, or "other" where C read something else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../sdks/c/src/troupe_wire.h"

#define LINE (64u << 10)

static size_t unhex(const char *text, uint8_t *bytes) {
  size_t size = strlen(text) / 2;
  for (size_t at = 0; at < size; at += 1) {
    unsigned byte = 0;
    if (sscanf(text + 2 * at, "%2x", &byte) != 1) abort();
    bytes[at] = (uint8_t)byte;
  }
  return size;
}

/* One field, which stands at `value` of its text: 0, or -1 when the reader has another one. */
static int blob(wire_reader *reader, wire_writer *writer, uint32_t field, const char *value) {
  static uint8_t bytes[LINE];
  const troupe_bytes expected = {bytes, unhex(value, bytes)};
  wire_put_bytes(writer, field, expected);
  return reader->bytes.size == expected.size && memcmp(reader->bytes.data, bytes, expected.size) == 0 ? 0 : -1;
}

static int number(wire_reader *reader, wire_writer *writer, uint32_t field, const char *value) {
  const uint64_t expected = strtoull(value, NULL, 10);
  wire_put_number(writer, field, expected);
  return reader->number == expected && reader->bytes.size == 0 ? 0 : -1;
}

/* All fields of a message, up to the text's end or "}". */
static int message(wire_reader *reader, wire_writer *writer) {
  for (char *token = strtok(NULL, " "); token != NULL && *token != '}'; token = strtok(NULL, " ")) {
    char *rest = NULL;
    const uint32_t field = (uint32_t)strtoul(token, &rest, 10);
    if (!wire_next(reader) || reader->field != field) return -1;
    if (*rest == '{') {
      wire_reader within = wire_read(reader->bytes);
      const size_t begin = wire_begin(writer, field);
      if (message(&within, writer) != 0) return -1;
      wire_end(writer, begin);
    } else if ((rest[1] == 'x' ? blob(reader, writer, field, rest + 2) : number(reader, writer, field, rest + 1)) != 0) {
      return -1;
    }
  }
  return wire_next(reader) || reader->bad ? -1 : 0;
}

int main(void) {
  static char line[LINE];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    const char *hex = strtok(line, " ");
    /* Exactly as many bytes as there are: what is read behind them is found by the sanitizers. */
    uint8_t *bytes = malloc(strlen(hex) / 2);
    const troupe_bytes frame = {bytes, unhex(hex, bytes)};
    wire_reader reader = wire_read(frame);
    wire_writer writer = {0};
    const int same = message(&reader, &writer) == 0 && !writer.failed;
    for (size_t at = 0; same && at < writer.size; at += 1) printf("%02x", writer.data[at]);
    printf("%s\n", same ? "" : "other");
    free(writer.data);
    free(bytes);
  }
  return 0;
}
