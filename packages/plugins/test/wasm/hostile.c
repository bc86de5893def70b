/* An actor that answers, and three things that no neighbour of it should notice. */
#include "troupe_actor.h"

static void hello(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  troupe_reply(call, troupe_text("\"hello\""));
}

/* Events that nobody listens to, one after the other. */
static void floods(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  for (int n = 0; n < 1000; n += 1)
    troupe_broadcast(c, "told", troupe_text("[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]"));
  troupe_reply(call, troupe_text("null"));
}

/* The caller waits until its time is over: the answer is owed, and nobody has the token to give it. */
static void stalls(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)troupe_defer(call);
  (void)args;
}

/* Until its thread is ended. */
static void spins(troupe_context *c, troupe_call *call, troupe_bytes args) {
  volatile int on = 1;
  (void)c;
  (void)call;
  (void)args;
  while (on) continue;
}

static const troupe_action actions[] = {
    {"hello", hello}, {"floods", floods}, {"stalls", stalls}, {"spins", spins}, {NULL, NULL}};
static const char *const events[] = {"told", NULL};
static const troupe_actor actors[] = {{.name = "hostile", .actions = actions, .events = events}, {.name = NULL}};

const troupe_definition troupe_plugin_definition = {
    .name = "hostile", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors};
