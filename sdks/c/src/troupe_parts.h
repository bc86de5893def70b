/*
 * The plugin's end of plugin/v1: reads the host's frames (troupe_session.c), runs actors (troupe_context.c) and queues
 * what they say (troupe_calls.c, troupe_queue.c).
 *
 * Instances and their state are touched by the host's thread alone. What other threads may touch is the queue, which
 * has a lock, and what a deferred call keeps: the queue's address and two numbers. So close waits for deferred calls,
 * and frees nothing while one is left.
 *
 * What an actor wrote goes before what it says: each output is preceded by a Write with the rows that changed since.
 */
#ifndef TROUPE_PARTS_H
#define TROUPE_PARTS_H

#include "troupe_queue.h"

typedef struct troupe_row {
  struct troupe_row *next;
  char *name;
  uint8_t *value;
  size_t size;
  int changed;
} troupe_row;

struct troupe_context {
  struct troupe_context *next;
  troupe_plugin *plugin;
  const troupe_actor *actor;
  uint64_t instance;
  troupe_row *rows;
  void *data;
};

#define BUCKETS 1024u

struct troupe_plugin {
  troupe_queue queue;
  troupe_context *instances[BUCKETS];
};

struct troupe_deferred {
  troupe_queue *queue;
  uint64_t instance; /* 0: of middleware */
  uint64_t call;
};

struct troupe_call {
  troupe_context *context; /* NULL: of middleware */
  troupe_deferred to;
  int answered;
};

/* Fields of PluginFrame, FromActor and Row that are written here. */
enum { FRAME_READY = 1, FRAME_FAILED = 2, FRAME_ACTOR = 3, FRAME_RESULT = 4, FRAME_PONG = 5 };
enum { SAY_STARTED = 2, SAY_STOPPED = 3, SAY_WRITE = 4, SAY_REPLY = 5, SAY_EVENT = 7 };
enum { SPACE_STATE = 1 };

void put_error(wire_writer *out, uint32_t field, troupe_error error);

/* A frame of an actor whose message has one field, and nothing in it. As frame_end. */
int say(troupe_queue *queue, uint64_t instance, uint32_t what);

/* Says what changed since the last Write, if anything did. -1: it can't be said, and the plugin is broken. */
int write_rows(troupe_context *c);

/* A row that was stored, or is to be. NULL: no memory. */
troupe_row *put_row(troupe_context *c, troupe_bytes name, troupe_bytes value);

/* Where the instance hangs, or NULL hangs if it isn't there. */
troupe_context **find_instance(troupe_plugin *plugin, uint64_t instance);
void free_instance(troupe_context **at);

#endif
