/* Bytes come back as they are. */
#include "troupe_actor.h"

static void echo(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  troupe_reply(call, args);
}

static const troupe_action actions[] = {{"echo", echo}, {0, 0}};
static const troupe_actor actors[] = {{.name = "echo", .actions = actions, .flags = TROUPE_QUICK}, {.name = 0}};

const troupe_definition troupe_plugin_definition = {
    .name = "echo", .version = "1.0.0", .encoding = TROUPE_RAW, .actors = actors};
