/*
 * Work lanes and the threads that run them.
 *
 * A lane's jobs run one at a time, in the order in which they were added. Lanes with work wait in one line, and a thread
 * takes the first of them, runs one job of it, and puts it at the end: no lane starves another. A thread is made when a
 * lane has work and no thread is free, up to a number, and stays until the end.
 *
 *   idle ── lanes_add ──▶ waiting ── a thread takes it ──▶ running ── no more jobs ──▶ idle
 *                            ▲                                └── more jobs ──▶ waiting
 *                            └────────────────────────────────────┘
 *
 * A job that ends its lane (the actor's stop) frees it: nobody touches the lane behind it.
 */
#ifndef TROUPE_LANES_H
#define TROUPE_LANES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct troupe_job {
  struct troupe_job *next;
  /* Runs it, and frees it. 1: the lane is gone. */
  int (*run)(struct troupe_job *job);
  size_t bytes;    /* that it keeps */
  uint64_t number; /* of its call; 0 for none */
} troupe_job;

typedef struct troupe_lane {
  struct troupe_lane *next; /* in the line */
  troupe_job *first;
  troupe_job *last;
  uint32_t jobs; /* with the one that runs */
  int busy;      /* it waits in the line, or a thread runs a job of it */
} troupe_lane;

typedef struct {
  pthread_mutex_t lock;
  /* A lane waits, or the end has come. */
  pthread_cond_t work;
  /* A thread has ended, or a deferred call was settled. */
  pthread_cond_t ended;
  troupe_lane *first;
  troupe_lane *last;
  size_t waiting; /* lanes in the line */
  size_t bytes;
  size_t max_bytes;
  pthread_t *threads;
  uint32_t max_threads;
  uint32_t made;
  uint32_t idle;
  uint32_t alive;
  size_t deferred;
  int closing; /* what isn't begun needn't be */
  int ending;  /* threads without work end */
  /* The host until close, each thread and each deferred call: the last one to let go frees it all. */
  atomic_size_t holders;
  void (*free_owner)(void *owner);
  void *owner;
} troupe_lanes;

/* `free_owner` is called when nobody holds the lanes any more: it frees them. Opened, they are held once. */
int lanes_open(troupe_lanes *lanes, uint32_t max_threads, size_t max_bytes, void (*free_owner)(void *), void *owner);
void lanes_release(troupe_lanes *lanes);
void lanes_free(troupe_lanes *lanes);

/* What becomes of a job that is added. It is the caller's again unless it was ADDED. */
enum { JOB_ADDED = 0, JOB_FULL = 1, JOB_NO_THREAD = 2 };

/* `must`: the lane's limits don't count. */
int lanes_add(troupe_lanes *lanes, troupe_lane *lane, troupe_job *job, int must);

/* Takes a job that hasn't begun out of its lane. NULL: there is none of that number. */
troupe_job *lanes_cancel(troupe_lanes *lanes, troupe_lane *lane, uint64_t number);

void lanes_defer(troupe_lanes *lanes);
void lanes_settled(troupe_lanes *lanes);

int lanes_closing(troupe_lanes *lanes);
void lanes_close(troupe_lanes *lanes);
/* Nothing is added any more. Waits until all lanes are idle, all threads have ended and no call is deferred. 0, or 1: the time is up. */
int lanes_finish(troupe_lanes *lanes, uint32_t timeout_ms);

#endif
