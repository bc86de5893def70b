/* What the host says, and the five functions of the ABI. */
#include "troupe_parts.h"

static void put_names(wire_writer *out, uint32_t field, const char *const *names) {
  for (; names != NULL && *names != NULL; names += 1) wire_put_text(out, field, *names);
}

static void put_declarations(wire_writer *out) {
  const troupe_definition *plugin = &troupe_plugin_definition;
  wire_put_number(out, 1, 1);
  wire_put_number(out, 2, plugin->encoding);
  wire_put_text(out, 3, plugin->name);
  wire_put_text(out, 4, plugin->version);
  for (const troupe_actor *actor = plugin->actors; actor != NULL && actor->name != NULL; actor += 1) {
    size_t message = wire_begin(out, 5);
    wire_put_text(out, 1, actor->name);
    for (const troupe_action *action = actor->actions; action->name != NULL; action += 1)
      wire_put_text(out, 2, action->name);
    put_names(out, 3, actor->events);
    wire_put_text(out, 4, actor->options);
    wire_end(out, message);
  }
  for (const troupe_middleware *one = plugin->middleware; one != NULL && one->name != NULL; one += 1) {
    size_t message = wire_begin(out, 6);
    wire_put_number(out, 1, one->kind);
    wire_put_text(out, 2, one->name);
    /* sint32: the sign is the lowest bit. */
    wire_put_number(out, 3, ((uint32_t)one->priority << 1) ^ (one->priority < 0 ? UINT32_MAX : 0));
    wire_end(out, message);
  }
}

static const char *refusal(wire_reader hello) {
  const char *wrong = "this plugin speaks version 1 of plugin/v1";
  troupe_bytes config = {NULL, 0};
  while (wire_next(&hello)) {
    if (hello.field == 3) config = hello.bytes;
    if (hello.field != 1) continue;
    wire_reader versions = wire_read(hello.bytes);
    if (hello.number == 1) wrong = NULL;
    while (versions.at != versions.end && !versions.bad)
      if (wire_varint(&versions) == 1) wrong = NULL;
  }
  if (wrong != NULL || troupe_plugin_definition.configure == NULL) return wrong;
  return troupe_plugin_definition.configure(config);
}

static void greet(troupe_plugin *plugin, wire_reader hello) {
  const char *wrong = refusal(hello);
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, wrong == NULL ? FRAME_READY : FRAME_FAILED);
  troupe_error error = {"plugin", "bad_config", wrong};
  if (wrong == NULL) put_declarations(out);
  else put_error(out, 1, error);
  wire_end(out, frame);
  frame_end(&plugin->queue, begin);
}

static int named(troupe_bytes name, const char *text) {
  return strlen(text) == name.size && memcmp(text, name.data, name.size) == 0;
}

static void load_row(troupe_context *c, wire_reader row) {
  troupe_bytes name = {NULL, 0}, value = {NULL, 0};
  uint64_t space = 0;
  while (wire_next(&row)) {
    if (row.field == 1) space = row.number;
    if (row.field == 2) name = row.bytes;
    if (row.field == 4) value = row.bytes;
  }
  if (space == SPACE_STATE && put_row(c, name, value) == NULL) queue_break(&c->plugin->queue);
}

static const troupe_actor *find_actor(wire_reader start) {
  while (wire_next(&start)) {
    if (start.field != 9) continue;
    const troupe_actor *actor = troupe_plugin_definition.actors;
    for (; actor != NULL && actor->name != NULL; actor += 1)
      if (named(start.bytes, actor->name)) return actor;
  }
  return NULL;
}

static int start_actor(troupe_plugin *plugin, uint64_t instance, wire_reader start) {
  troupe_context **at = find_instance(plugin, instance);
  const troupe_actor *actor = find_actor(start);
  if (*at != NULL || actor == NULL) return -1;
  troupe_context *c = calloc(1, sizeof *c);
  if (c == NULL) return -1;
  c->plugin = plugin;
  c->actor = actor;
  c->instance = instance;
  *at = c;
  int is_new = 0;
  while (wire_next(&start)) {
    if (start.field == 6) is_new = start.number != 0;
    if (start.field == 8) load_row(c, wire_read(start.bytes));
  }
  if (actor->start != NULL) actor->start(c, is_new);
  if (write_rows(c) < 0) return -1;
  return say(&plugin->queue, instance, SAY_STARTED) < 0 ? -1 : 0;
}

static int stop_actor(troupe_plugin *plugin, troupe_context **at) {
  uint64_t instance = (*at)->instance;
  if ((*at)->actor->stop != NULL) (*at)->actor->stop(*at);
  int status = write_rows(*at);
  free_instance(at);
  return status < 0 || say(&plugin->queue, instance, SAY_STOPPED) < 0 ? -1 : 0;
}

static void finish_call(troupe_call *call) {
  troupe_error none = {"plugin", "no_answer", "The plugin's function returned without an answer"};
  if (!call->answered) troupe_fail(call, none);
}

static int run_action(troupe_context *c, wire_reader message) {
  troupe_call call = {c, {&c->plugin->queue, c->instance, 0}, 0};
  troupe_bytes name = {NULL, 0}, args = {NULL, 0};
  while (wire_next(&message)) {
    if (message.field == 1) call.to.call = message.number;
    if (message.field == 2) name = message.bytes;
    if (message.field == 3) args = message.bytes;
  }
  const troupe_action *action = c->actor->actions;
  while (action->name != NULL && !named(name, action->name)) action += 1;
  troupe_error unknown = {"actor", "action_not_found", "The plugin has no such action"};
  if (action->name != NULL) action->run(c, &call, args);
  else troupe_fail(&call, unknown);
  finish_call(&call);
  return write_rows(c) < 0 ? -1 : 0;
}

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
  if (what == 2) return start_actor(plugin, instance, body);
  troupe_context **at = find_instance(plugin, instance);
  /* Stopped already: what crossed its last word on the way is nobody's. */
  if (*at == NULL) return 0;
  if (what == 3) return stop_actor(plugin, at);
  if (what == 4) return run_action(*at, body);
  return 0;
}

static void run_middleware(troupe_plugin *plugin, wire_reader message) {
  troupe_call call = {NULL, {&plugin->queue, 0, 0}, 0};
  troupe_bytes name = {NULL, 0}, payload = {NULL, 0};
  uint64_t kind = 0;
  while (wire_next(&message)) {
    if (message.field == 1) call.to.call = message.number;
    if (message.field == 2) name = message.bytes;
    if (message.field == 3) kind = message.number;
    if (message.field == 4) payload = message.bytes;
  }
  const troupe_middleware *one = troupe_plugin_definition.middleware;
  for (; one != NULL && one->name != NULL; one += 1)
    if (one->kind == kind && named(name, one->name)) one->run(&call, payload);
  finish_call(&call);
}

static void pong(troupe_plugin *plugin, wire_reader ping) {
  uint64_t number = 0;
  while (wire_next(&ping))
    if (ping.field == 1) number = ping.number;
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, FRAME_PONG);
  wire_put_number(out, 1, number);
  wire_end(out, frame);
  frame_end(&plugin->queue, begin);
}

static int heard(troupe_plugin *plugin, troupe_bytes frame) {
  wire_reader reader = wire_read(frame);
  int status = 0;
  while (status == 0 && wire_next(&reader)) {
    wire_reader body = wire_read(reader.bytes);
    if (reader.field == 1) greet(plugin, body);
    if (reader.field == 2) status = heard_for_actor(plugin, body);
    if (reader.field == 3) run_middleware(plugin, body);
    if (reader.field == 5) pong(plugin, body);
  }
  return reader.bad ? -1 : status;
}

/* Whole frames, and nothing else. */
static int well_formed(const uint8_t *frames, size_t n) {
  while (n >= 4) {
    size_t size = (size_t)frames[0] | (size_t)frames[1] << 8 | (size_t)frames[2] << 16 | (size_t)frames[3] << 24;
    if (size > n - 4) return 0;
    frames += 4 + size;
    n -= 4 + size;
  }
  return n == 0;
}

uint32_t troupe_plugin_abi(void) { return TROUPE_ABI; }

int32_t troupe_plugin_open(const troupe_host *host, const uint8_t *config, size_t n, troupe_plugin **out) {
  /* Hello brings the configuration too, and it can be refused there with words. */
  (void)config;
  (void)n;
  if (host->size < sizeof *host || host->wake_kind != TROUPE_WAKE_FD) return -1;
  troupe_plugin *plugin = calloc(1, sizeof *plugin);
  if (plugin == NULL) return -1;
  if (queue_open(&plugin->queue, host) != 0) {
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
    size_t size = (size_t)frames[0] | (size_t)frames[1] << 8 | (size_t)frames[2] << 16 | (size_t)frames[3] << 24;
    troupe_bytes frame = {frames + 4, size};
    status = heard(plugin, frame);
    frames += 4 + size;
    n -= 4 + size;
  }
  queue_pushing(&plugin->queue, 0);
  return status != 0 || queue_broken(&plugin->queue) ? -1 : 0;
}

int64_t troupe_plugin_pull(troupe_plugin *plugin, uint8_t *into, size_t capacity) {
  return queue_pull(&plugin->queue, into, capacity);
}

int32_t troupe_plugin_close(troupe_plugin *plugin, uint32_t timeout_ms) {
  int left = queue_drain(&plugin->queue, timeout_ms);
  for (size_t bucket = 0; bucket < BUCKETS; bucket += 1)
    while (plugin->instances[bucket] != NULL) {
      troupe_context *c = plugin->instances[bucket];
      if (c->actor->stop != NULL) c->actor->stop(c);
      free_instance(&plugin->instances[bucket]);
    }
  if (left) return 1;
  queue_free(&plugin->queue);
  free(plugin);
  return 0;
}
