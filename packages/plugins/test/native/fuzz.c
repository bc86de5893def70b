/* Pushes random, cut and changed frames into the C SDK, and pulls what it says. A program of its own, for sanitizers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "troupe_plugin.h"

static uint64_t state;

static uint32_t next(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 11) % below;
}

/* Hello; Start { actor: "counter", a row }; Call { "increment", "[1]" }; Call { "get" }; Stop; Ping. */
static const char start[] = "\x12\x1c\x08\x01\x12\x18\x42\x0d\x08\x01\x12\x05" "count" "\x22\x02" "42" "\x4a\x07" "counter";
static const char call[] = "\x12\x16\x08\x01\x22\x12\x08\x01\x12\x09" "increment" "\x1a\x03[1]";
static const char stop[] = "\x12\x06\x08\x01\x1a\x02\x08\x01";
static const char ping[] = "\x2a\x02\x08\x07";
static const char hello[] = "\x0a\x03\x0a\x01\x01";

static const struct {
  const char *bytes;
  size_t size;
} samples[] = {{hello, sizeof hello - 1}, {start, sizeof start - 1}, {call, sizeof call - 1},
             {stop, sizeof stop - 1},   {ping, sizeof ping - 1}};

static size_t make(uint8_t *into) {
  uint32_t which = next(100) == 0 ? 5 : next(5);
  size_t size = next(64);
  if (which < 5) {
    size = samples[which].size;
    memcpy(into, samples[which].bytes, size);
    if (next(12) == 0) into[next((uint32_t)size)] = (uint8_t)next(256);
    if (next(30) == 0) size = next((uint32_t)size + 1);
  } else {
    for (size_t at = 0; at < size; at += 1) into[at] = (uint8_t)next(256);
  }
  return size;
}

/* Its own allocation, of its own size: a byte too many is seen. */
static int push(troupe_plugin *plugin) {
  uint8_t frame[256];
  size_t size = make(frame);
  uint8_t *framed = malloc(size + 4);
  if (framed == NULL) abort();
  for (int at = 0; at < 4; at += 1) framed[at] = (uint8_t)(size >> (8 * at));
  if (next(100) == 0) framed[0] = (uint8_t)next(256);
  memcpy(framed + 4, frame, size);
  int status = troupe_plugin_push(plugin, framed, size + 4);
  free(framed);
  return status;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  state = strtoull(arguments[1], NULL, 10) | 1;
  long rounds = strtol(arguments[2], NULL, 10);
  int ends[2];
  long taken = 0, broken = 0;
  if (pipe(ends) != 0) return 2;
  troupe_host host = {sizeof host, TROUPE_ABI, ends[1], TROUPE_WAKE_FD, 4096, 8};
  for (long round = 0; round < rounds; round += 1) {
    troupe_plugin *plugin = NULL;
    if (troupe_plugin_open(&host, NULL, 0, &plugin) != 0) return 3;
    int status = 0;
    for (int step = 0; step < 40 && status >= 0; step += 1) {
      uint8_t into[200];
      status = push(plugin);
      if (status == 0) taken += 1;
      if (next(2) == 0) troupe_plugin_pull(plugin, into, next(sizeof into));
    }
    if (status < 0) broken += 1;
    if (troupe_plugin_close(plugin, 100) != 0) return 4;
  }
  printf("taken %ld broken %ld\n", taken, broken);
  return taken > rounds && broken > 0 ? 0 : 5;
}
