/* Bytes come back as they are: in place, or from a thread of the plugin's own a little later. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "troupe_actor.h"

static void echo(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  troupe_reply(call, args);
}

typedef struct {
  troupe_deferred *deferred;
  size_t size;
  long wait_ms;
  uint8_t bytes[];
} job;

static void *run(void *data) {
  job *work = data;
  struct timespec wait = {work->wait_ms / 1000, work->wait_ms % 1000 * 1000000L};
  nanosleep(&wait, NULL);
  troupe_bytes bytes = {work->bytes, work->size};
  troupe_settle(work->deferred, bytes);
  free(work);
  return NULL;
}

static void answer_after(troupe_call *call, troupe_bytes args, long wait_ms) {
  const troupe_error no_thread = {"echo", "no_thread", "There is no thread for it"};
  troupe_deferred *deferred = troupe_defer(call);
  if (deferred == NULL) return;
  job *work = malloc(sizeof *work + args.size);
  pthread_t thread;
  if (work != NULL) {
    work->deferred = deferred;
    work->size = args.size;
    work->wait_ms = wait_ms;
    if (args.size > 0) memcpy(work->bytes, args.data, args.size);
    if (pthread_create(&thread, NULL, run, work) == 0) {
      pthread_detach(thread);
      return;
    }
  }
  free(work);
  troupe_reject(deferred, no_thread);
}

static void later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  answer_after(call, args, 2);
}

static void much_later(troupe_context *c, troupe_call *call, troupe_bytes args) {
  (void)c;
  answer_after(call, args, 1500);
}

static const troupe_action actions[] = {
    {"echo", echo}, {"later", later}, {"muchLater", much_later}, {NULL, NULL}};
static const troupe_actor actors[] = {
    /* Each function returns at once. */
    {.name = "echo", .actions = actions, .flags = TROUPE_QUICK},
    {.name = NULL},
};

const troupe_definition troupe_plugin_definition = {
    .name = "echo", .version = "1.0.0", .encoding = TROUPE_RAW, .actors = actors};
