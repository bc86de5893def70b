/*
 * The queue of a plugin's frames: written by any thread, pulled by the host's.
 *
 * It is bounded where it can be: work threads wait for room, and end their wait when the plugin closes. The host's own
 * thread never waits; what it adds is pulled as soon as push has returned.
 */
#ifndef TROUPE_QUEUE_H
#define TROUPE_QUEUE_H

#include <pthread.h>

#include "troupe_plugin.h"
#include "troupe_wire.h"

typedef struct {
  pthread_mutex_t lock;
  /* Signalled when frames were pulled, and at the end. */
  pthread_cond_t room;
  wire_writer out;
  size_t pulled; /* bytes of `out` that the host has */
  uint32_t frames;
  uint32_t max_frame;
  uint32_t max_queued;
  int wake;
  int pushing; /* the host pulls after this push: no signal is needed */
  int closing; /* nobody pulls any more */
} troupe_queue;

int queue_open(troupe_queue *queue, const troupe_host *host);
void queue_free(troupe_queue *queue);

/* Begins a frame, and holds the lock until frame_end. */
wire_writer *frame_begin(troupe_queue *queue, size_t *begin);
/* 0; TROUPE_TOO_LONG: the frame was dropped; -1: no memory, the plugin is broken. */
int frame_end(troupe_queue *queue, size_t begin);

int queue_full(troupe_queue *queue);
int queue_broken(troupe_queue *queue);
void queue_break(troupe_queue *queue);
void queue_pushing(troupe_queue *queue, int pushing);
int64_t queue_pull(troupe_queue *queue, uint8_t *into, size_t capacity);

/* For work threads: waits until the host has taken some of it. */
void queue_wait(troupe_queue *queue);
/* Nobody waits for room any more. */
void queue_close(troupe_queue *queue);

#endif
