/*
 * An actor's own queues and schedules. The host keeps them, as durably as the actor's state: messages wait, and calls come, while
 * the actor sleeps.
 *
 * A queue stands in the actor's table `.queues`. Where it has a function, its messages are brought to that, one after the other,
 * as calls: the answer is the sender's reply, and what the function wrote is stored together with the message's end. When it
 * fails the message comes again, later each time, and is a dead letter after a few: `.deliveries` says after how many. Where it has none, functions take them
 * with TROUPE_QUEUE_RECEIVE.
 */
#ifndef TROUPE_KEPT_H
#define TROUPE_KEPT_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How messages of a queue are delivered again: a line of an actor's table `.deliveries`. 0: as it is for every queue. */
struct troupe_delivery {
  const char *queue;              /* NULL behind the last line */
  uint32_t max_attempts;          /* deliveries; then a message is a dead letter (10) */
  uint32_t retry_delay_ms;        /* before the second one (1000); it doubles with each */
  uint32_t visibility_timeout_ms; /* one that was taken to be completed, and isn't, comes again after so long (never) */
};

/* Numbers of actor/v1. What is asked is an object, and so are the answers, in the plugin's encoding; where that is raw, JSON. */
typedef enum {
  /* { name, body } gives the message's id. */
  TROUPE_QUEUE_SEND = 1,
  /*
   * { names?, count?, timeout?, completable? } gives a list of { id, name, body, createdAt, attempts }: none when the time, in ms,
   * is over (0: when there is none now; without it the call waits). Messages are handled when the call asks for more or is
   * answered, and go together with what was written; when it fails as well. With `completable` they wait for the next two.
   */
  TROUPE_QUEUE_RECEIVE = 2,
  /* { id, name, reply? }: the message was handled. */
  TROUPE_QUEUE_COMPLETE = 3,
  /* { id, name, delay? }: it comes again, after so many ms or later each time. */
  TROUPE_QUEUE_RETRY = 4,
  /* { action, args?, at? or delayMs?, name?, retry? } calls an action once, later; gives the call's id. */
  TROUPE_SCHEDULE_SET = 5,
  /* { id } gives whether there was such a call. */
  TROUPE_SCHEDULE_CANCEL = 6,
  /* {} gives a list of { id, action, args, runAt, name?, failed? }. */
  TROUPE_SCHEDULE_LIST = 7,
  /* { name, action, args?, expression and timezone? or interval, overlap?, missed?, retry? } calls an action again and again. */
  TROUPE_CRON_SET = 8,
  /* { name } gives whether there was such a job. */
  TROUPE_CRON_DELETE = 9,
  /* {} gives a list of { name, action, args, nextRunAt, … }. */
  TROUPE_CRON_LIST = 10
} troupe_kept;

/* Asks, as everything that takes a call: of an actor's. */
void troupe_ask_kept(troupe_call *call, troupe_kept question, troupe_bytes asked, troupe_then then, void *data);

/* Of a call with a message of a queue: its number, which no other message of the actor has, and which delivery it is, from 1; 0: it
 * is none. */
uint64_t troupe_message(const troupe_call *call);
uint32_t troupe_attempt(const troupe_call *call);

#ifdef __cplusplus
}
#endif
#endif
