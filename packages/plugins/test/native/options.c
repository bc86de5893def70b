/* Actors for the walk over every option: each has one, and there is one for every option that a library can be given. */
#include <pthread.h>

#include "troupe_actor.h"
#include "troupe_kept.h"
#include "troupe_socket.h"
#include "troupe_store.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int held = 0;

static void act(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  troupe_reply(call, troupe_text("\"done\""));
}

static void hang(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  troupe_defer(call);
}

static void wakes(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_reply(call, troupe_state(c, "wakes"));
}

static void long_answer(troupe_context *c, troupe_call *call, troupe_bytes args) {
  static char text[303];
  (void)c;
  (void)args;
  for (size_t at = 0; at < 302; at += 1) text[at] = at == 0 || at == 301 ? '"' : 'x';
  troupe_reply(call, troupe_text(text));
}

static void let_go(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  pthread_mutex_lock(&lock);
  held = 0;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  troupe_reply(call, troupe_text("null"));
}

static void start(troupe_context *c, int is_new) {
  int64_t wakes = 0;
  if (!is_new) troupe_json_integer(troupe_state(c, "wakes"), TROUPE_ALONE, &wakes);
  char text[2] = {(char)('1' + wakes % 9), 0};
  troupe_set_state(c, "wakes", troupe_text(text));
}

static void wait_held(void) {
  pthread_mutex_lock(&lock);
  held = 1;
  while (held) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static void start_held(troupe_context *c, int is_new) {
  start(c, is_new);
  wait_held();
}

static void stop_held(troupe_context *c) {
  int64_t wakes = 0;
  troupe_json_integer(troupe_state(c, "wakes"), TROUPE_ALONE, &wakes);
  if (wakes == 1) wait_held();
}

static void passed(troupe_call *call, void *data, const troupe_outcome *outcome) {
  (void)data;
  troupe_pass(call, outcome);
}

static void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  (void)args;
  troupe_ask_kept(call, TROUPE_SCHEDULE_SET, troupe_text("{\"action\":\"act\",\"delayMs\":3600000}"), passed, NULL);
}

static void nap(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)args;
  troupe_sleep(c);
  troupe_reply(call, troupe_text("null"));
}

static void say_again(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text) {
  (void)is_text;
  troupe_socket_text(c, socket, message);
}

static const troupe_sockets echo = {.heard = say_again};
static const troupe_action queues[] = {{"inbox", NULL}, {NULL, NULL}};
static const troupe_action actions[] = {{"act", act}, {"later", later}, {"hang", hang}, {"wakes", wakes}, {"long", long_answer}, {"let_go", let_go}, {"nap", nap}, {NULL, NULL}};

#define PLAIN(option, value) {.name = option, .actions = actions, .options = "{\"" option "\":" value "}", .start = start, .queues = queues}

static const troupe_actor actors[] = {
    {.name = "plain", .actions = actions, .start = start},
    PLAIN("actionTimeout", "50"),
    PLAIN("sleepTimeout", "50"),
    PLAIN("maxIncomingMessageSize", "200"),
    PLAIN("maxOutgoingMessageSize", "200"),
    PLAIN("rateLimit", "{\"actor\":{\"calls\":1,\"perMs\":3600000}}"),
    PLAIN("name", "\"A name\""),
    PLAIN("icon", "\"*\""),
    PLAIN("stateSaveInterval", "5"),
    {.name = "noSleep", .actions = actions, .options = "{\"noSleep\":true,\"sleepTimeout\":1}", .start = start},
    {.name = "sleepGracePeriod", .actions = actions, .options = "{\"sleepGracePeriod\":50,\"sleepTimeout\":1}", .start = start, .stop = stop_held},
    {.name = "onWakeTimeout", .actions = actions, .options = "{\"onWakeTimeout\":50}", .start = start_held},
    PLAIN("onMigrateTimeout", "50"),
    PLAIN("createStateTimeout", "50"),
    PLAIN("onCreateTimeout", "50"),
    PLAIN("createVarsTimeout", "50"),
    PLAIN("onBeforeConnectTimeout", "50"),
    PLAIN("createConnStateTimeout", "50"),
    PLAIN("onConnectTimeout", "50"),
    PLAIN("onRequestTimeout", "50"),
    PLAIN("concurrency", "\"serial\""),
    PLAIN("expireAfter", "50"),
    {.name = "canHibernateWebSocket", .actions = actions, .options = "{\"canHibernateWebSocket\":false}", .start = start, .sockets = &echo},
    PLAIN("maxSchedules", "1"),
    PLAIN("maxQueueSize", "1"),
    PLAIN("maxQueueMessageSize", "10"),
    PLAIN("enableActorRuntimeSocket", "true"),
    PLAIN("actionTimeuot", "50"),
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "options", .version = "1.0.0", .encoding = TROUPE_JSON, .actors = actors};
