/*
 * Values in CBOR, for plugins whose encoding is TROUPE_CBOR: all that TypeScript, Rust and Python say, bytes, dates, big
 * integers, maps, sets and errors among it. conformance/vectors shows each of them.
 *
 * A value is read item by item: a list, an object, a map, a set and an error say how many items come, and these come next. No
 * memory is taken; bytes and texts lie in what is read. It is written in the same way, by the same items.
 *
 *   { a: [1, "b"] }   TROUPE_OBJECT 1, TROUPE_TEXT "a", TROUPE_LIST 2, TROUPE_NUMBER 1, TROUPE_TEXT "b", TROUPE_END
 */
#ifndef TROUPE_VALUE_H
#define TROUPE_VALUE_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Levels of lists, objects, maps, sets and errors, one in another. */
#define TROUPE_VALUE_DEPTH 128u
/* Items of one value, all levels together. */
#define TROUPE_VALUE_ENTRIES 1000000u
/* Bytes of a big integer. */
#define TROUPE_BIGINT_BYTES 4096u

typedef enum {
  TROUPE_END, /* behind the last item */
  TROUPE_NULL,
  TROUPE_UNDEFINED,
  TROUPE_BOOLEAN, /* truth */
  TROUPE_NUMBER,  /* number; JavaScript's, so whole ones are exact up to 2^53 - 1 */
  TROUPE_DATE,    /* number: milliseconds since 1970, NaN for an invalid date */
  TROUPE_TEXT,    /* bytes: UTF-8 */
  TROUPE_UTF16,   /* bytes: a text that UTF-8 can't say, with half a surrogate pair, as UTF-16LE */
  TROUPE_BYTES,   /* bytes; view: which kind of view of them it is */
  TROUPE_BIGINT,  /* bytes: a magnitude m, most significant first; the integer is m, or -1 - m when truth is 0 */
  TROUPE_REGEXP,  /* count 2: its source and its flags come next, both texts */
  TROUPE_ERROR,   /* count members, as of an object: name, message, and group, code, metadata, retryable if it has them */
  TROUPE_LIST,    /* count elements */
  TROUPE_OBJECT,  /* count members: a key (TROUPE_TEXT or TROUPE_UTF16) and a value each */
  TROUPE_MAP,     /* count entries: a key (any value) and a value each */
  TROUPE_SET      /* count elements */
} troupe_kind;

/* Kinds of TROUPE_BYTES, each with its tag of RFC 8746 or of ours. Their elements are little-endian. */
enum {
  TROUPE_UINT8_ARRAY = 0,
  TROUPE_UINT8_CLAMPED_ARRAY = 68,
  TROUPE_UINT16_ARRAY = 69,
  TROUPE_UINT32_ARRAY = 70,
  TROUPE_BIG_UINT64_ARRAY = 71,
  TROUPE_INT8_ARRAY = 72,
  TROUPE_INT16_ARRAY = 77,
  TROUPE_INT32_ARRAY = 78,
  TROUPE_BIG_INT64_ARRAY = 79,
  TROUPE_FLOAT16_ARRAY = 84,
  TROUPE_FLOAT32_ARRAY = 85,
  TROUPE_FLOAT64_ARRAY = 86,
  TROUPE_ARRAY_BUFFER = 54601,
  TROUPE_DATA_VIEW = 54602
};

/* One item. */
typedef struct {
  troupe_kind kind;
  int truth; /* of a boolean: which; of a big integer: it isn't negative */
  uint32_t view;
  size_t count;
  double number;
  troupe_bytes bytes;
} troupe_value;

/* Where a reader is. */
typedef struct {
  troupe_bytes rest;
  size_t entries;
  unsigned depth;
  int begun;
  size_t left[TROUPE_VALUE_DEPTH];         /* items that come, at each level */
  unsigned char keyed[TROUPE_VALUE_DEPTH]; /* every other one is the key of an object */
} troupe_reader;

/* Begins to read one value. */
void troupe_read(troupe_reader *reader, troupe_bytes cbor);
/* The next item. 0, or -1: these bytes aren't one value, and nothing more may be read. */
int troupe_next(troupe_reader *reader, troupe_value *item);
/* Steps over what comes with an item that was read. 0, or -1. */
int troupe_skip(troupe_reader *reader, const troupe_value *item);

/* The bytes of the value of an object's member. 0, or -1: it isn't there, or these bytes are no object. */
int troupe_member(troupe_bytes object, const char *name, troupe_bytes *value);
/* The bytes of the element at `index` of a list. 0, or -1: it isn't there, or these bytes are no list. */
int troupe_element(troupe_bytes list, size_t index, troupe_bytes *value);

/* Whether a value is this text. */
int troupe_says(troupe_bytes value, const char *text);
/* The integer that a value is. 0, or -1: it is none, or more than 64 bits hold. */
int troupe_whole(troupe_bytes value, int64_t *integer);
/* The integer of a number or a big integer. 0, or -1: it is none, or more than 64 bits hold. */
int troupe_integer(const troupe_value *item, int64_t *integer);

/* Bytes that grow; begin with {0}, and free `data`. `failed`: there was no memory for all of it. */
typedef struct {
  uint8_t *data;
  size_t size;
  size_t capacity;
  int failed;
} troupe_writer;

/* Writes one item. What comes with it is written next. */
void troupe_put(troupe_writer *writer, const troupe_value *item);
/* The items that are written most. */
void troupe_put_number(troupe_writer *writer, double number);
void troupe_put_integer(troupe_writer *writer, int64_t integer);
void troupe_put_text(troupe_writer *writer, const char *text);
void troupe_put_bytes(troupe_writer *writer, troupe_bytes bytes);
void troupe_put_list(troupe_writer *writer, size_t count);
void troupe_put_object(troupe_writer *writer, size_t count);
/* A value that is encoded already: what troupe_member found, say. */
void troupe_put_encoded(troupe_writer *writer, troupe_bytes value);

#ifdef __cplusplus
}
#endif
#endif
