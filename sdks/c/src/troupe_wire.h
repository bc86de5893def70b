/*
 * Protocol Buffers, as much as actors need: fields are read in any order, unknown ones are skipped, and nothing is read
 * past the end. A reader that meets nonsense stops and says so.
 */
#ifndef TROUPE_WIRE_H
#define TROUPE_WIRE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_value.h"

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
  int bad;
  /* The field that wire_next found: a number, or bytes. */
  uint32_t field;
  uint64_t number;
  troupe_bytes bytes;
} wire_reader;

static inline wire_reader wire_read(troupe_bytes message) {
  wire_reader reader;
  memset(&reader, 0, sizeof reader);
  reader.at = message.data;
  reader.end = message.size == 0 ? message.data : message.data + message.size;
  return reader;
}

static inline uint64_t wire_varint(wire_reader *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (reader->at == reader->end) break;
    uint8_t byte = *reader->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  reader->bad = 1;
  return 0;
}

static inline troupe_bytes wire_take(wire_reader *reader, uint64_t size) {
  troupe_bytes bytes = {reader->at, 0};
  if (size > (uint64_t)(reader->end - reader->at)) {
    reader->bad = 1;
    return bytes;
  }
  bytes.size = (size_t)size;
  if (size > 0) reader->at += size;
  return bytes;
}

/* The next field: 1, or 0 at the end and at nonsense (`bad`). */
static inline int wire_next(wire_reader *reader) {
  if (reader->bad || reader->at == reader->end) return 0;
  uint64_t tag = wire_varint(reader);
  reader->field = (uint32_t)(tag >> 3);
  reader->number = 0;
  reader->bytes.data = reader->at;
  reader->bytes.size = 0;
  if (reader->field == 0 || tag >> 35 != 0) reader->bad = 1;
  switch (tag & 7) {
    case 0:
      reader->number = wire_varint(reader);
      break;
    case 1:
      wire_take(reader, 8);
      break;
    case 2:
      reader->bytes = wire_take(reader, wire_varint(reader));
      break;
    case 5:
      wire_take(reader, 4);
      break;
    default:
      reader->bad = 1;
  }
  return !reader->bad;
}

/* After `failed` nothing more is written. */
typedef troupe_writer wire_writer;

static inline int wire_reserve(wire_writer *writer, size_t more) {
  if (writer->failed) return -1;
  if (more <= writer->capacity - writer->size) return 0;
  size_t capacity = writer->capacity < 256 ? 256 : writer->capacity;
  while (capacity - writer->size < more) {
    if (capacity > SIZE_MAX / 2) return writer->failed = -1;
    capacity *= 2;
  }
  uint8_t *data = realloc(writer->data, capacity);
  if (data == NULL) return writer->failed = -1;
  writer->data = data;
  writer->capacity = capacity;
  return 0;
}

static inline void wire_put_raw(wire_writer *writer, const void *data, size_t size) {
  if (size == 0 || wire_reserve(writer, size) != 0) return;
  memcpy(writer->data + writer->size, data, size);
  writer->size += size;
}

static inline void wire_put_varint(wire_writer *writer, uint64_t value) {
  uint8_t bytes[10];
  size_t size = 0;
  for (; value > 0x7f; value >>= 7) bytes[size++] = (uint8_t)(value | 0x80);
  bytes[size++] = (uint8_t)value;
  wire_put_raw(writer, bytes, size);
}

static inline void wire_put_number(wire_writer *writer, uint32_t field, uint64_t value) {
  if (value == 0) return;
  wire_put_varint(writer, (uint64_t)field << 3);
  wire_put_varint(writer, value);
}

static inline void wire_put_bytes(wire_writer *writer, uint32_t field, troupe_bytes bytes) {
  if (bytes.size == 0) return;
  wire_put_varint(writer, (uint64_t)field << 3 | 2);
  wire_put_varint(writer, bytes.size);
  wire_put_raw(writer, bytes.data, bytes.size);
}

static inline void wire_put_text(wire_writer *writer, uint32_t field, const char *text) {
  if (text != NULL) wire_put_bytes(writer, field, troupe_text(text));
}

/* Begins a message in a message. Its length is known at its end: it gets five bytes, which a varint may always have. */
static inline size_t wire_begin(wire_writer *writer, uint32_t field) {
  static const uint8_t room[5];
  wire_put_varint(writer, (uint64_t)field << 3 | 2);
  wire_put_raw(writer, room, sizeof room);
  return writer->size;
}

static inline void wire_end(wire_writer *writer, size_t begin) {
  if (writer->failed) return;
  size_t length = writer->size - begin;
  uint8_t *room = writer->data + begin - 5;
  for (int at = 0; at < 4; at += 1) room[at] = (uint8_t)(0x80 | (length >> (7 * at) & 0x7f));
  room[4] = (uint8_t)(length >> 28 & 0x7f);
}

#endif
