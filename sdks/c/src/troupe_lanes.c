#define _POSIX_C_SOURCE 200809L
#include "troupe_lanes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "troupe_actor.h"

/* The clock of time-outs: one that nobody sets, where conditions can wait by it. */
#if defined(__APPLE__)
#define WAIT_CLOCK CLOCK_REALTIME
static int init_condition(pthread_cond_t *condition) { return pthread_cond_init(condition, NULL); }
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
static int init_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes) != 0) return -1;
  int status = pthread_condattr_setclock(&attributes, WAIT_CLOCK);
  if (status == 0) status = pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return status;
}
#endif

int lanes_open(troupe_lanes *lanes, uint32_t max_threads, size_t max_bytes, void (*free_owner)(void *), void *owner) {
  memset(lanes, 0, sizeof *lanes);
  lanes->max_bytes = max_bytes;
  lanes->free_owner = free_owner;
  lanes->owner = owner;
  atomic_init(&lanes->holders, 1);
  lanes->max_threads = max_threads;
  lanes->threads = calloc(max_threads, sizeof *lanes->threads);
  if (lanes->threads == NULL) return -1;
  if (pthread_mutex_init(&lanes->lock, NULL) != 0) goto no_lock;
  if (init_condition(&lanes->work) != 0) goto no_work;
  if (init_condition(&lanes->ended) == 0) return 0;
  pthread_cond_destroy(&lanes->work);
no_work:
  pthread_mutex_destroy(&lanes->lock);
no_lock:
  free(lanes->threads);
  return -1;
}

void lanes_free(troupe_lanes *lanes) {
  pthread_cond_destroy(&lanes->ended);
  pthread_cond_destroy(&lanes->work);
  pthread_mutex_destroy(&lanes->lock);
  free(lanes->threads);
}

void lanes_release(troupe_lanes *lanes) {
  if (atomic_fetch_sub(&lanes->holders, 1) == 1) lanes->free_owner(lanes->owner);
}

static void line_up(troupe_lanes *lanes, troupe_lane *lane) {
  lane->next = NULL;
  if (lanes->first == NULL) lanes->first = lane;
  else lanes->last->next = lane;
  lanes->last = lane;
  lanes->waiting += 1;
}

/* Runs one job of the first lane of the line. The lock is held, and let go of meanwhile. */
static void run_first(troupe_lanes *lanes) {
  troupe_lane *lane = lanes->first;
  troupe_job *job = lane->first;
  lanes->first = lane->next;
  lanes->waiting -= 1;
  if (job == NULL) { /* cancelled */
    lane->busy = 0;
    return;
  }
  size_t bytes = job->bytes;
  lane->first = job->next;
  pthread_mutex_unlock(&lanes->lock);
  int gone = job->run(job);
  pthread_mutex_lock(&lanes->lock);
  lanes->bytes -= bytes;
  if (gone) return;
  lane->jobs -= 1;
  lane->busy = lane->first != NULL;
  if (lane->busy) line_up(lanes, lane);
}

static void *work(void *data) {
  troupe_lanes *lanes = data;
  pthread_mutex_lock(&lanes->lock);
  for (;;) {
    while (lanes->first != NULL) run_first(lanes);
    if (lanes->ending) break;
    lanes->idle += 1;
    pthread_cond_wait(&lanes->work, &lanes->lock);
    lanes->idle -= 1;
  }
  lanes->alive -= 1;
  pthread_cond_broadcast(&lanes->ended);
  pthread_mutex_unlock(&lanes->lock);
  lanes_release(lanes);
  return NULL;
}

/* Signals that are sent to the process are for the host's threads; those of a fault are for the thread that made it. */
static void make_thread(troupe_lanes *lanes) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  sigset_t sent, before;
  sigfillset(&sent);
  for (size_t at = 0; at < sizeof faults / sizeof *faults; at += 1) sigdelset(&sent, faults[at]);
  if (pthread_sigmask(SIG_SETMASK, &sent, &before) != 0) return;
  atomic_fetch_add(&lanes->holders, 1);
  if (pthread_create(&lanes->threads[lanes->made], NULL, work, lanes) == 0) {
    lanes->made += 1;
    lanes->alive += 1;
  } else {
    /* Never the last one: the host holds them while it adds. */
    atomic_fetch_sub(&lanes->holders, 1);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int lanes_add(troupe_lanes *lanes, troupe_lane *lane, troupe_job *job, int must) {
  int status = JOB_ADDED;
  job->next = NULL;
  pthread_mutex_lock(&lanes->lock);
  int full = lane->jobs >= TROUPE_LANE_JOBS || (lanes->bytes > 0 && lanes->bytes + job->bytes > lanes->max_bytes);
  int starts = !lane->busy;
  if (full && !must) status = JOB_FULL;
  else if (starts && !lanes->ending && lanes->waiting >= lanes->idle && lanes->made < lanes->max_threads) make_thread(lanes);
  if (status == JOB_ADDED && lanes->alive == 0) status = JOB_NO_THREAD;
  if (status == JOB_ADDED) {
    if (lane->first == NULL) lane->first = job;
    else lane->last->next = job;
    lane->last = job;
    lane->jobs += 1;
    lanes->bytes += job->bytes;
    if (starts) {
      lane->busy = 1;
      line_up(lanes, lane);
      pthread_cond_signal(&lanes->work);
    }
  }
  pthread_mutex_unlock(&lanes->lock);
  return status;
}

troupe_job *lanes_cancel(troupe_lanes *lanes, troupe_lane *lane, uint64_t number) {
  troupe_job *before = NULL;
  pthread_mutex_lock(&lanes->lock);
  troupe_job *job = lane->first;
  for (; job != NULL && job->number != number; job = job->next) before = job;
  if (job != NULL) {
    if (before == NULL) lane->first = job->next;
    else before->next = job->next;
    if (lane->last == job) lane->last = before;
    lane->jobs -= 1;
    lanes->bytes -= job->bytes;
  }
  pthread_mutex_unlock(&lanes->lock);
  return job;
}

void lanes_defer(troupe_lanes *lanes) {
  pthread_mutex_lock(&lanes->lock);
  atomic_fetch_add(&lanes->holders, 1);
  lanes->deferred += 1;
  pthread_mutex_unlock(&lanes->lock);
}

void lanes_settled(troupe_lanes *lanes) {
  pthread_mutex_lock(&lanes->lock);
  lanes->deferred -= 1;
  pthread_cond_broadcast(&lanes->ended);
  pthread_mutex_unlock(&lanes->lock);
  lanes_release(lanes);
}

int lanes_closing(troupe_lanes *lanes) {
  pthread_mutex_lock(&lanes->lock);
  int closing = lanes->closing;
  pthread_mutex_unlock(&lanes->lock);
  return closing;
}

void lanes_close(troupe_lanes *lanes) {
  pthread_mutex_lock(&lanes->lock);
  lanes->closing = 1;
  pthread_mutex_unlock(&lanes->lock);
}

int lanes_finish(troupe_lanes *lanes, uint32_t timeout_ms) {
  struct timespec until;
  clock_gettime(WAIT_CLOCK, &until);
  until.tv_sec += (time_t)(timeout_ms / 1000);
  until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec += 1;
    until.tv_nsec -= 1000000000L;
  }
  pthread_mutex_lock(&lanes->lock);
  lanes->ending = 1;
  pthread_cond_broadcast(&lanes->work);
  int late = 0;
  while ((lanes->alive > 0 || lanes->deferred > 0) && !late)
    late = pthread_cond_timedwait(&lanes->ended, &lanes->lock, &until) == ETIMEDOUT;
  int left = lanes->alive > 0 || lanes->deferred > 0;
  int running = lanes->alive > 0;
  uint32_t made = lanes->made;
  pthread_mutex_unlock(&lanes->lock);
  /* One that has ended is gone when it is joined; one that hasn't ends by itself. */
  for (uint32_t at = 0; at < made; at += 1)
    if (running) pthread_detach(lanes->threads[at]);
    else pthread_join(lanes->threads[at], NULL);
  return left;
}
