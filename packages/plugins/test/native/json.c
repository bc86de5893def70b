/* Integers out of JSON, each text in an allocation of its own size: a byte too many is seen. For sanitizers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_actor.h"

const troupe_definition troupe_plugin_definition = {.name = "json"};

#define NONE INT64_C(-4242)

static int wrong;

static void check(const char *json, size_t index, int64_t expected) {
  size_t size = strlen(json);
  uint8_t *copy = malloc(size);
  int64_t found = NONE;
  if (copy == NULL && size > 0) abort();
  if (size > 0) memcpy(copy, json, size);
  troupe_bytes bytes = {copy, size};
  int status = troupe_json_integer(bytes, index, &found);
  free(copy);
  if (found == expected && (status == 0) == (expected != NONE)) return;
  printf("%s at %zu: %d, %" PRId64 "\n", json, index, status, found);
  wrong = 1;
}

static void good(void) {
  check("[5]", 0, 5);
  check(" [ 5 , -7 ] ", 1, -7);
  check("[0,-0,10]", 0, 0);
  check("[0,-0,10]", 1, 0);
  check("[0,-0,10]", 2, 10);
  check("[9223372036854775807,-9223372036854775808]", 0, INT64_MAX);
  check("[9223372036854775807,-9223372036854775808]", 1, INT64_MIN);
  check("[\"a,]\\\"[\",{\"b\":[1,2]},[3,[4]],null,true,6]", 5, 6);
  check("5", TROUPE_ALONE, 5);
  check("\n-5\t", TROUPE_ALONE, -5);
}

static void malformed(void) {
  static const char *const lists[] = {
      "",       "[",        "[]",       "[[5]]",   "[[5]",      "[ [ 5 ] ]", "5",     "[5",         "{\"a\":5}",
      "[5.0]",  "[5e0]",    "[5 6]",    "[05]",    "[-]",       "[- 5]",     "[+5]",  "[--5]",      "[\"5\"]",
      "[null]", "[true]",   "[,5]",     "[5}",     "[5;]",      "[0x5]",     "[5n]",  "[{\"a\":5}]", "[NaN]",
      "x[5]",   "[9223372036854775808]",           "[-9223372036854775809]",          "[99999999999999999999]",
  };
  for (size_t at = 0; at < sizeof lists / sizeof *lists; at += 1) check(lists[at], 0, NONE);
  check("[5]", 1, NONE);
  check("[5,]", 1, NONE);
  check("[,5]", 1, NONE);
  check("[\"a,5]", 1, NONE);
  check("[\"a\\", 1, NONE);
  check("[[1,5]", 1, NONE);
  check("[1],5]", 1, NONE);
  check("[1}5,6]", 1, NONE);
  check("[5]", TROUPE_ALONE, NONE);
  check("5 5", TROUPE_ALONE, NONE);
  check("5,", TROUPE_ALONE, NONE);
  check("5]", TROUPE_ALONE, NONE);
  check("", TROUPE_ALONE, NONE);
}

int main(void) {
  good();
  malformed();
  return wrong;
}
