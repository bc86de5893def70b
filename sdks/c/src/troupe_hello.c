/* The first words: what the plugin declares, or why it can't run. */
#include "troupe_kept.h"
#include "troupe_parts.h"

static void put_names(wire_writer *out, uint32_t field, const char *const *names) {
  for (; names != NULL && *names != NULL; names += 1) wire_put_text(out, field, *names);
}

static void put_actor(wire_writer *out, const troupe_actor *actor) {
  size_t message = wire_begin(out, 5);
  wire_put_text(out, 1, actor->name);
  for (const troupe_action *action = actor->actions; action != NULL && action->name != NULL; action += 1)
    wire_put_text(out, 2, action->name);
  put_names(out, 3, actor->events);
  wire_put_text(out, 4, actor->options);
  wire_put_number(out, 5, knows_clients(actor) != 0);
  wire_put_number(out, 6, actor->sockets != NULL);
  wire_put_number(out, 7, actor->database != 0);
  /* StartRows are read. */
  wire_put_number(out, 8, 1);
  for (const troupe_action *queue = actor->queues; queue != NULL && queue->name != NULL; queue += 1)
    wire_put_text(out, 9, queue->name);
  if (actor->clients != NULL && actor->clients->can_subscribe != NULL) put_names(out, 10, actor->events);
  /* The host keeps its queues and schedules, and clients that stay while it sleeps. */
  wire_put_number(out, 13, 1);
  wire_put_number(out, 15, 1);
  for (const troupe_action *queue = actor->queues; queue != NULL && queue->name != NULL; queue += 1)
    if (queue->run != NULL) wire_put_text(out, 16, queue->name);
  for (const troupe_delivery *one = actor->deliveries; one != NULL && one->queue != NULL; one += 1) {
    const size_t delivery = wire_begin(out, 17);
    wire_put_text(out, 1, one->queue);
    wire_put_number(out, 2, one->max_attempts);
    wire_put_number(out, 3, one->retry_delay_ms);
    wire_put_number(out, 4, one->visibility_timeout_ms);
    wire_end(out, delivery);
  }
  wire_put_number(out, 20, actor->request != NULL);
  wire_end(out, message);
}

static void put_declarations(wire_writer *out) {
  const troupe_definition *plugin = &troupe_plugin_definition;
  wire_put_number(out, 1, 1);
  wire_put_number(out, 2, plugin->encoding);
  wire_put_text(out, 3, plugin->name);
  wire_put_text(out, 4, plugin->version);
  for (const troupe_actor *actor = plugin->actors; actor != NULL && actor->name != NULL; actor += 1) put_actor(out, actor);
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

void greet(troupe_plugin *plugin, wire_reader hello) {
  const char *wrong = refusal(hello);
  size_t begin;
  wire_writer *out = frame_begin(&plugin->queue, &begin);
  size_t frame = wire_begin(out, wrong == NULL ? FRAME_READY : FRAME_FAILED);
  troupe_error error = {"plugin", "bad_config", wrong};
  if (wrong == NULL) put_declarations(out);
  else put_error(out, 1, error);
  wire_end(out, frame);
  frame_end(&plugin->queue, begin);
  if (wrong == NULL && troupe_plugin_definition.ready != NULL) troupe_plugin_definition.ready(plugin);
}
