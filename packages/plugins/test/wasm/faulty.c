/* A guardrail that can be made to do anything: the tool's name says what. And an actor that traps when it is told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_actor.h"
#include "troupe_wasm.h"

static int asked(troupe_bytes text, const char *name) {
  size_t size = strlen(name);
  for (size_t at = 0; at + size <= text.size; at += 1)
    if (memcmp(text.data + at, name, size) == 0) return 1;
  return 0;
}

static int deeper(volatile int *depth) {
  volatile int here[64];
  if (*depth < 0) return 0;
  here[0] = *depth + 1;
  return deeper(&here[0]) + here[0];
}

/* Everything that there is, and then a little less. */
static int takes_all_memory(void) {
  void *kept = NULL;
  int blocks = 0;
  for (void **block; (block = malloc(1 << 20)) != NULL; blocks += 1) {
    memset(block, 0xff, 1 << 20);
    *block = kept;
    kept = block;
  }
  while (kept != NULL) {
    void *next = *(void **)kept;
    free(kept);
    kept = next;
  }
  return blocks;
}

static void run(troupe_call *call, troupe_bytes payload) {
  volatile int spins = 0;
  if (asked(payload, "\"trap\"")) __builtin_trap();
  if (asked(payload, "\"loop\""))
    for (;;) spins += 1;
  if (asked(payload, "\"recursion\"")) deeper(&spins);
  if (asked(payload, "\"null\"")) *(volatile int *)(uintptr_t)0xfffffff0u = 1;
  if (asked(payload, "\"memory\"")) {
    troupe_reply(call, troupe_text(takes_all_memory() > 200 ? "\"as much as it declares\"" : "\"less\""));
    return;
  }
  if (asked(payload, "\"clock\"")) {
    uint8_t bytes[32] = {0};
    int set = 0;
    troupe_random(bytes, sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at += 1) set |= bytes[at];
    troupe_reply(call, troupe_text(troupe_now_ms() > 1.7e12 && set != 0 ? "\"both\"" : "\"neither\""));
    return;
  }
  troupe_reply(call, troupe_text(asked(payload, "\"rm\"") ? "\"no\"" : "null"));
}

static const troupe_middleware middleware[] = {{.kind = 12, .name = "faulty", .run = run}, {.name = NULL}};

static void count(troupe_context *c, troupe_call *call, troupe_bytes args) {
  int64_t count = 0;
  char text[24];
  (void)args;
  troupe_json_integer(troupe_state(c, "count"), TROUPE_ALONE, &count);
  snprintf(text, sizeof text, "%lld", (long long)count + 1);
  troupe_set_state(c, "count", troupe_text(text));
  troupe_reply(call, troupe_text(text));
}

static void trap(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  (void)call;
  troupe_set_state(c, "count", troupe_text("1000"));
  __builtin_trap();
}

static const troupe_action actions[] = {{"count", count}, {"trap", trap}, {NULL, NULL}};
static const troupe_actor actors[] = {{.name = "faulty", .actions = actions}, {.name = NULL}};

const troupe_definition troupe_plugin_definition = {
    .name = "faulty", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors, .middleware = middleware};
