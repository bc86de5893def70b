/* The tags of values in CBOR, and the largest integer that a number holds. */
#ifndef TROUPE_TAGS_H
#define TROUPE_TAGS_H

#include <float.h>
#include <stdint.h>

enum {
  TAG_SECONDS = 1,
  TAG_BIGINT = 2,
  TAG_NEGATIVE_BIGINT = 3,
  TAG_UINT8 = 64,
  TAG_SET = 258,
  TAG_MAP = 259,
  TAG_REGEXP = 21066,
  TAG_ERROR = 54600,
  TAG_UTF16 = 54603,
  TAG_MILLISECONDS = 54604
};

#define SAFE_INTEGER UINT64_C(9007199254740991)

#endif
