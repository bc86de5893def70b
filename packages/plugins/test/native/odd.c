/* A plugin straight on the ABI, odd in one way or another: its configuration, a letter, says how. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_plugin.h"

#ifndef ABI
#define ABI TROUPE_ABI
#endif

struct troupe_plugin {
  char way;
  int pushes;
  size_t size;
  uint8_t queue[64];
};

/* How often this library's statics were made, where the whole process can see it. */
__attribute__((constructor)) static void loaded(void) {
  const char *before = getenv("TROUPE_TEST_LOADS");
  char text[16];
  snprintf(text, sizeof text, "%d", before == NULL ? 1 : atoi(before) + 1);
  setenv("TROUPE_TEST_LOADS", text, 1);
}

uint32_t troupe_plugin_abi(void) { return ABI; }

int32_t troupe_plugin_open(const troupe_host *host, const uint8_t *config, size_t n, troupe_plugin **out) {
  char way = n > 0 ? (char)config[0] : 'r';
  if (way == 'o' || host->size < sizeof *host) return -7;
  troupe_plugin *plugin = calloc(1, sizeof *plugin);
  if (plugin == NULL) return -1;
  plugin->way = way;
  *out = plugin;
  return 0;
}

static void put(troupe_plugin *plugin, const void *bytes, size_t size) {
  memcpy(plugin->queue + plugin->size, bytes, size);
  plugin->size += size;
}

int32_t troupe_plugin_push(troupe_plugin *plugin, const uint8_t *frames, size_t n) {
  /* Ready { version: 1, encoding: json, name: VERSION } in its frame. */
  static const uint8_t ready[] = {11, 0, 0, 0, 0x0a, 9, 8, 1, 16, 2, 0x1a, 3, 'o', 'd', VERSION};
  (void)frames;
  (void)n;
  plugin->pushes += 1;
  if (plugin->way == 'b') return -3;
  if (plugin->way == 'f' && plugin->pushes <= 3) {
    /* Full: nothing is taken yet, and there is something to pull: a Log frame without a line. */
    static const uint8_t log[] = {2, 0, 0, 0, 0x32, 0};
    put(plugin, log, sizeof log);
    return 1;
  }
  if (plugin->pushes == 1 || (plugin->way == 'f' && plugin->pushes == 4)) put(plugin, ready, sizeof ready);
  return 0;
}

int64_t troupe_plugin_pull(troupe_plugin *plugin, uint8_t *into, size_t capacity) {
  size_t size = plugin->size;
  if (plugin->way == 'p') return -((int64_t)1 << 40);
  if (size > capacity) return -(int64_t)size;
  memcpy(into, plugin->queue, size);
  plugin->size = 0;
  return (int64_t)size;
}

int32_t troupe_plugin_close(troupe_plugin *plugin, uint32_t timeout_ms) {
  (void)timeout_ms;
  free(plugin);
  return 0;
}
