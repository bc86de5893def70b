/* Lanes where there is one thread, the host's: a job runs where it is added, and has ended when that returns. */
#include "../../src/troupe_lanes.h"

#include <string.h>

#include "troupe_actor.h"

int lanes_open(troupe_lanes *lanes, uint32_t max_threads, size_t max_bytes, void (*free_owner)(void *), void *owner) {
  memset(lanes, 0, sizeof *lanes);
  lanes->max_threads = max_threads;
  lanes->max_bytes = max_bytes;
  lanes->free_owner = free_owner;
  lanes->owner = owner;
  atomic_init(&lanes->holders, 1);
  return 0;
}

void lanes_free(troupe_lanes *lanes) { (void)lanes; }

void lanes_release(troupe_lanes *lanes) {
  if (atomic_fetch_sub(&lanes->holders, 1) == 1) lanes->free_owner(lanes->owner);
}

int lanes_add(troupe_lanes *lanes, troupe_lane *lane, troupe_job *job, int must) {
  (void)lanes;
  (void)lane;
  (void)must;
  job->next = NULL;
  job->run(job);
  return JOB_ADDED;
}

/* Whatever was added has begun. */
troupe_job *lanes_cancel(troupe_lanes *lanes, troupe_lane *lane, uint64_t number) {
  (void)lanes;
  (void)lane;
  (void)number;
  return NULL;
}

void lanes_defer(troupe_lanes *lanes) {
  atomic_fetch_add(&lanes->holders, 1);
  lanes->deferred += 1;
}

void lanes_settled(troupe_lanes *lanes) {
  lanes->deferred -= 1;
  lanes_release(lanes);
}

int lanes_closing(troupe_lanes *lanes) { return lanes->closing; }

void lanes_close(troupe_lanes *lanes) { lanes->closing = 1; }

int lanes_finish(troupe_lanes *lanes, uint32_t timeout_ms) {
  (void)timeout_ms;
  return lanes->deferred > 0;
}
