/*
 * What a plugin asks of its host's relay: marks, metrics, scopes, codecs, registrations, gates, and a line in its log.
 *
 * A question is an object in the plugin's encoding (JSON where that is raw), as the table below has it. Each but the log
 * needs a capability of the plugin's manifest; without it the answer is the error plugin.not_allowed, and nothing happens.
 * `scope` in an object is a scope's id: one that the plugin made, or that of the call that it asks in, which is its default.
 */
#ifndef TROUPE_HOST_H
#define TROUPE_HOST_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of plugin/v1. */
typedef enum {
  /* { name, data?, dataSchema?, metadata?, severity?, category?, categoryProfile?, scope? } gives nothing. */
  TROUPE_MARK = 1,
  /* { name, measurements: [{ name, kind, valueType, value }], metadata?, scope? } gives nothing. */
  TROUPE_METRIC = 2,
  /* { name, scopeType, input?, metadata?, attributes?, categoryProfile?, scope? } gives { scope, propagation }. One that isn't
   * popped ends with the call that it was pushed in, and its end says so. */
  TROUPE_PUSH_SCOPE = 3,
  /* { scope, output?, metadata?, error? } gives nothing. */
  TROUPE_POP_SCOPE = 4,
  /* { scope? } gives { scope, propagation? }: a stand-in for that scope, or a root of its own. No event is about it. */
  TROUPE_FORK_SCOPE = 5,
  /* { scope }, one that was forked, gives nothing. */
  TROUPE_DROP_SCOPE = 6,
  /* { codec?, request } or { codec?, response } gives what it says in every provider's words. */
  TROUPE_DECODE = 7,
  /* { codec?, annotated, original } gives the request. */
  TROUPE_ENCODE = 8,
  /* { kinds? } gives a list of { kind, name, priority, scopeUuid }. */
  TROUPE_LIST_REGISTRATIONS = 9,
  /* {} gives { droppedEvents, subscribers }. */
  TROUPE_DIAGNOSTICS = 10,
  /* { name, about: { kinds, name }, reason } leaves a registration out; without a reason it takes part again. Gives nothing. */
  TROUPE_SET_GATE = 11
} troupe_question;

/* Asks, as a part of the call; `then` gets the answer. */
void troupe_ask(troupe_call *call, troupe_question question, troupe_bytes asked, troupe_then then, void *data);
/* The same where no answer is wanted: what is refused is a line in the host's log. The call stays the caller's. */
int troupe_tell(troupe_call *call, troupe_question question, troupe_bytes asked);
/* The same, of the plugin's own accord and as a part of no call, by any thread. */
int troupe_tell_alone(troupe_plugin *plugin, troupe_question question, troupe_bytes asked);

enum { TROUPE_DEBUG = 1, TROUPE_INFO = 2, TROUPE_WARN = 3, TROUPE_PROBLEM = 4 };
/* A line for the host's log, by any thread. Needs no capability. */
int troupe_log(troupe_plugin *plugin, uint32_t level, const char *line);

#ifdef __cplusplus
}
#endif
#endif
