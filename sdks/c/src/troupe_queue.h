/*
 * The queue of a plugin's frames: written by any thread, pulled by the host's.
 */
#ifndef TROUPE_QUEUE_H
#define TROUPE_QUEUE_H

#include <pthread.h>

#include "troupe_plugin.h"
#include "troupe_wire.h"

typedef struct {
  pthread_mutex_t lock;
  /* Signalled when the last deferred call was settled. */
  pthread_cond_t settled;
  wire_writer out;
  size_t pulled; /* bytes of `out` that the host has */
  uint32_t frames;
  uint32_t max_frame;
  uint32_t max_queued;
  int wake;
  int pushing; /* the host pulls after this push: no signal is needed */
  size_t deferred;
} troupe_queue;

int queue_open(troupe_queue *queue, const troupe_host *host);
void queue_free(troupe_queue *queue);

/* Begins a frame, and holds the lock until frame_end. */
wire_writer *frame_begin(troupe_queue *queue, size_t *begin);
/* 0; 1: the frame is too long and was dropped; -1: no memory, the plugin is broken. */
int frame_end(troupe_queue *queue, size_t begin);

int queue_full(troupe_queue *queue);
int queue_broken(troupe_queue *queue);
void queue_break(troupe_queue *queue);
void queue_pushing(troupe_queue *queue, int pushing);
int64_t queue_pull(troupe_queue *queue, uint8_t *into, size_t capacity);

void queue_defer(troupe_queue *queue);
void queue_settled(troupe_queue *queue);
/* Waits for deferred calls. 0: there are none; 1: the time is up. */
int queue_drain(troupe_queue *queue, uint32_t timeout_ms);

#endif
