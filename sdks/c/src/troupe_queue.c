#define _POSIX_C_SOURCE 200809L
#include "troupe_queue.h"

#if !defined(__wasm__)
#include <unistd.h>
#endif

/* So many frames of the longest kind wait for the host at the most, before work threads wait. */
#define LONG_FRAMES 2

int queue_open(troupe_queue *queue, const troupe_host *host) {
  memset(queue, 0, sizeof *queue);
  queue->max_frame = host->max_frame;
  queue->max_queued = host->max_queued;
  queue->wake = (int)host->wake;
  if (pthread_mutex_init(&queue->lock, NULL) != 0) return -1;
  if (pthread_cond_init(&queue->room, NULL) == 0) return 0;
  pthread_mutex_destroy(&queue->lock);
  return -1;
}

void queue_free(troupe_queue *queue) {
  pthread_cond_destroy(&queue->room);
  pthread_mutex_destroy(&queue->lock);
  free(queue->out.data);
}

#if defined(__wasm__)
static void wake_host(const troupe_queue *queue) { (void)queue; }
#else
/* EAGAIN: a signal is on its way. Nothing else can be done about anything else. */
static void wake_host(const troupe_queue *queue) {
  if (write(queue->wake, "!", 1) < 0) return;
}
#endif

wire_writer *frame_begin(troupe_queue *queue, size_t *begin) {
  static const uint8_t room[4];
  pthread_mutex_lock(&queue->lock);
  *begin = queue->out.size;
  wire_put_raw(&queue->out, room, sizeof room);
  return &queue->out;
}

int frame_end(troupe_queue *queue, size_t begin) {
  wire_writer *out = &queue->out;
  int status = out->failed ? -1 : 0;
  int signal = 0;
  if (status == 0 && out->size - begin - 4 > queue->max_frame) {
    out->size = begin;
    status = TROUPE_TOO_LONG;
  }
  if (status == 0) {
    size_t length = out->size - begin - 4;
    for (int at = 0; at < 4; at += 1) out->data[begin + (size_t)at] = (uint8_t)(length >> (8 * at));
    signal = queue->frames == 0 && !queue->pushing;
    queue->frames += 1;
  }
  if (status < 0) signal = !queue->pushing;
  pthread_mutex_unlock(&queue->lock);
  if (signal) wake_host(queue);
  return status;
}

int queue_full(troupe_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  int full = queue->frames >= queue->max_queued;
  pthread_mutex_unlock(&queue->lock);
  return full;
}

int queue_broken(troupe_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  int broken = queue->out.failed;
  pthread_mutex_unlock(&queue->lock);
  return broken;
}

void queue_break(troupe_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->out.failed = -1;
  int signal = !queue->pushing;
  pthread_cond_broadcast(&queue->room);
  pthread_mutex_unlock(&queue->lock);
  if (signal) wake_host(queue);
}

void queue_pushing(troupe_queue *queue, int pushing) {
  pthread_mutex_lock(&queue->lock);
  queue->pushing = pushing;
  pthread_mutex_unlock(&queue->lock);
}

static size_t length_at(const uint8_t *at) {
  return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* What was pulled goes once it is most of the buffer, so that each byte is moved once at the most. */
static void forget_pulled(troupe_queue *queue) {
  wire_writer *out = &queue->out;
  if (queue->pulled < out->size && queue->pulled < out->size / 2) return;
  out->size -= queue->pulled;
  memmove(out->data, out->data + queue->pulled, out->size);
  queue->pulled = 0;
  if (out->size > 0 || out->capacity < 1 << 20) return;
  free(out->data);
  memset(out, 0, sizeof *out);
}

int64_t queue_pull(troupe_queue *queue, uint8_t *into, size_t capacity) {
  int64_t taken = 0;
  pthread_mutex_lock(&queue->lock);
  while (queue->frames > 0) {
    const uint8_t *frame = queue->out.data + queue->pulled;
    size_t size = 4 + length_at(frame);
    if (size > capacity - (size_t)taken) {
      if (taken == 0) taken = -(int64_t)size;
      break;
    }
    memcpy(into + taken, frame, size);
    taken += (int64_t)size;
    queue->pulled += size;
    queue->frames -= 1;
  }
  /* More than a frame may have: the host sees that nothing more comes. */
  if (queue->frames == 0 && taken == 0 && queue->out.failed) taken = INT64_MIN;
  if (taken > 0) {
    forget_pulled(queue);
    pthread_cond_broadcast(&queue->room);
  }
  pthread_mutex_unlock(&queue->lock);
  return taken;
}

#if defined(__wasm__)
/* The one thread is the host's: nobody would make room meanwhile. The memory's own limit is what holds a flood. */
void queue_wait(troupe_queue *queue) { (void)queue; }
#else
static int has_room(const troupe_queue *queue) {
  size_t bytes = queue->out.size - queue->pulled;
  return queue->frames < queue->max_queued && bytes / LONG_FRAMES <= queue->max_frame;
}

void queue_wait(troupe_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  while (!queue->closing && !queue->out.failed && !has_room(queue)) pthread_cond_wait(&queue->room, &queue->lock);
  pthread_mutex_unlock(&queue->lock);
}
#endif

void queue_close(troupe_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->closing = 1;
  pthread_cond_broadcast(&queue->room);
  pthread_mutex_unlock(&queue->lock);
}
