/*
 * Middleware that goes around a call of the relay's: it asks for the rest of it, as often as it likes, and answers. Where
 * that is a stream (TROUPE_LLM_STREAM) it reads the rest chunk by chunk, and answers with a stream.
 *
 * Nothing is read ahead: a chunk is asked for when somebody wants it, and made when it is asked for.
 */
#ifndef TROUPE_AROUND_H
#define TROUPE_AROUND_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of middleware: the relay's table. */
enum {
  TROUPE_SUBSCRIBER = 1,
  TROUPE_EVENT_METADATA = 2,
  TROUPE_TOOL_SANITIZE_REQUEST = 10,
  TROUPE_TOOL_SANITIZE_RESPONSE = 11,
  TROUPE_TOOL_CONDITIONAL = 12,
  TROUPE_TOOL_REQUEST = 13,
  TROUPE_TOOL_EXECUTION = 14, /* around */
  TROUPE_LLM_SANITIZE_REQUEST = 20,
  TROUPE_LLM_SANITIZE_RESPONSE = 21,
  TROUPE_LLM_CONDITIONAL = 22,
  TROUPE_LLM_REQUEST = 23,
  TROUPE_LLM_EXECUTION = 24, /* around */
  TROUPE_LLM_STREAM = 25,    /* around, and streams */
  TROUPE_MARK_SANITIZE = 30,
  TROUPE_SCOPE_SANITIZE_START = 31,
  TROUPE_SCOPE_SANITIZE_END = 32,
  TROUPE_ACTION_CONDITIONAL = 40
};

/* Goes on with the rest of the call: `then` gets its answer, or its stream. */
void troupe_call_next(troupe_call *call, troupe_bytes payload, troupe_then then, void *data);

/* Asks for one chunk of a stream: `then` gets it, or that the stream has ended. */
void troupe_read_chunk(troupe_call *call, uint64_t stream, troupe_then then, void *data);
/* No more of it is wanted. Only needed where the call goes on without it. */
int troupe_stop_stream(troupe_call *call, uint64_t stream);

/* A stream that somebody reads. Its functions run on the lane of the call that it answered. */
typedef struct {
  /* One chunk more is wanted: the call is answered with it, ended, or failed. It may ask, or be deferred, as any other. */
  void (*chunk)(troupe_call *call, void *data);
  /* It is over, in whatever way: frees `data`. The last one, and never while a chunk is still to be answered. NULL: nothing to do. */
  void (*over)(void *data);
} troupe_source;

/* Answers a call with a stream. `source` is static. When that fails, `over` has run. */
int troupe_reply_stream(troupe_call *call, const troupe_source *source, void *data);
/* The answer where a chunk is wanted: there is none any more. */
int troupe_end(troupe_call *call);

#ifdef __cplusplus
}
#endif
#endif
