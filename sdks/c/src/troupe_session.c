/* What the host says, and the five functions of the ABI. */
#include "troupe_parts.h"

static int heard_for_actor(troupe_plugin *plugin, wire_reader message) {
  uint64_t instance = 0;
  uint32_t what = 0;
  wire_reader body = wire_read(message.bytes);
  while (wire_next(&message)) {
    if (message.field == 1) instance = message.number;
    if (message.field < 2) continue;
    what = message.field;
    body = wire_read(message.bytes);
  }
  if (message.bad) return -1;
  switch (what) {
    case 2:
      return start_actor(plugin, instance, body);
    case 3:
      return stop_actor(plugin, instance, body);
    case 4:
      return call_actor(plugin, instance, body);
    case 5:
      return cancel_call(plugin, instance, body);
    case 6:
    case 7:
    case 8:
      return client_of(plugin, instance, what, body);
    case 10:
      wait_heard(plugin, WAIT_ANSWER, FRAME_ACTOR, body);
      return 0;
    case 11:
    case 12:
    case 13:
      return socket_of(plugin, instance, what, body);
    case 20:
    case 21:
    case 22:
    case 23:
    case 24:
      return request_of(plugin, instance, what, body);
    case 25:
      return heard_item_credit(plugin, instance, body);
    case 14:
      return more_rows(plugin, instance, body);
    default:
      return 0;
  }
}

static int pong(troupe_plugin *plugin, wire_reader ping) {
  uint64_t number = 0;
  while (wire_next(&ping))
    if (ping.field == 1) number = ping.number;
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_PONG);
  wire_put_number(out, 1, number);
  wire_end(out, frame);
  return frame_end(&plugin->queue, begin) < 0 ? -1 : 0;
}

static int heard(troupe_plugin *plugin, troupe_bytes frame) {
  wire_reader reader = wire_read(frame);
  int status = 0;
  while (status == 0 && wire_next(&reader)) {
    wire_reader body = wire_read(reader.bytes);
    if (reader.field == 1) greet(plugin, body);
    if (reader.field == 2) status = heard_for_actor(plugin, body);
    if (reader.field == 3) status = call_middleware(plugin, body);
    if (reader.field == 4) status = cancel_middleware(plugin, body);
    if (reader.field == 5) status = pong(plugin, body);
    if (reader.field == 7) wait_heard(plugin, WAIT_NEXT, FRAME_NEXT, body);
    if (reader.field == 8) wait_heard(plugin, WAIT_CHUNK, FRAME_CHUNK, body);
    if (reader.field == 9) wait_heard(plugin, WAIT_CHUNK, FRAME_CHUNK_END, body);
    if (reader.field == 10) heard_credit(plugin, body);
    if (reader.field == 11) wait_heard(plugin, WAIT_HOST, FRAME_HOST_CALL, body);
  }
  return reader.bad ? -1 : status;
}

static size_t length_of(const uint8_t *frame) {
  return (size_t)frame[0] | (size_t)frame[1] << 8 | (size_t)frame[2] << 16 | (size_t)frame[3] << 24;
}

/* Whole frames, and nothing else. */
static int well_formed(const uint8_t *frames, size_t n) {
  while (n >= 4) {
    size_t size = length_of(frames);
    if (size > n - 4) return 0;
    frames += 4 + size;
    n -= 4 + size;
  }
  return n == 0;
}

#if defined(__wasm__)
#define HOW_TO_WAKE TROUPE_WAKE_NONE
#else
#define HOW_TO_WAKE TROUPE_WAKE_FD
#endif

static void free_plugin(void *owner) {
  troupe_plugin *plugin = owner;
  queue_free(&plugin->queue);
  waits_free(plugin);
  lanes_free(&plugin->lanes);
  free(plugin->middleware_lanes);
  free(plugin);
}

static int open_parts(troupe_plugin *plugin, const troupe_host *host) {
  const troupe_definition *definition = &troupe_plugin_definition;
  uint32_t threads = definition->threads == 0 ? TROUPE_THREADS : definition->threads;
  size_t middleware = 0;
  while (definition->middleware != NULL && definition->middleware[middleware].name != NULL) middleware += 1;
  plugin->middleware_lanes = calloc(middleware + 1, sizeof *plugin->middleware_lanes);
  if (plugin->middleware_lanes == NULL) return -1;
  if (queue_open(&plugin->queue, host) != 0) return -1;
  if (waits_open(&plugin->waits) != 0) goto no_waits;
  if (lanes_open(&plugin->lanes, threads, (size_t)host->max_frame * 2, free_plugin, plugin) == 0) return 0;
  waits_free(plugin);
no_waits:
  queue_free(&plugin->queue);
  return -1;
}

uint32_t troupe_plugin_abi(void) { return TROUPE_ABI; }

int32_t troupe_plugin_open(const troupe_host *host, const uint8_t *config, size_t n, troupe_plugin **out) {
  /* Hello brings the configuration too, and it can be refused there with words. */
  (void)config;
  (void)n;
  if (host->size < sizeof *host || host->wake_kind != HOW_TO_WAKE) return -1;
  troupe_plugin *plugin = calloc(1, sizeof *plugin);
  if (plugin == NULL) return -1;
  if (open_parts(plugin, host) != 0) {
    free(plugin->middleware_lanes);
    free(plugin);
    return -1;
  }
  *out = plugin;
  return 0;
}

int32_t troupe_plugin_push(troupe_plugin *plugin, const uint8_t *frames, size_t n) {
  if (queue_broken(&plugin->queue) || !well_formed(frames, n)) return -1;
  if (queue_full(&plugin->queue)) return 1;
  queue_pushing(&plugin->queue, 1);
  int status = 0;
  while (n > 0 && status == 0) {
    troupe_bytes frame = {frames + 4, length_of(frames)};
    status = heard(plugin, frame);
    frames += 4 + frame.size;
    n -= 4 + frame.size;
  }
  queue_pushing(&plugin->queue, 0);
  return status != 0 || queue_broken(&plugin->queue) ? -1 : 0;
}

int64_t troupe_plugin_pull(troupe_plugin *plugin, uint8_t *into, size_t capacity) {
  return queue_pull(&plugin->queue, into, capacity);
}

int32_t troupe_plugin_close(troupe_plugin *plugin, uint32_t timeout_ms) {
  lanes_close(&plugin->lanes);
  queue_close(&plugin->queue);
  waits_close(plugin);
  stop_actors(plugin);
  int left = lanes_finish(&plugin->lanes, timeout_ms);
  lanes_release(&plugin->lanes);
  return left;
}
