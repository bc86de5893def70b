/*
 * Actors and middleware in C: define `troupe_definition troupe_plugin_definition`, compile it together with
 * the sources in src/ into a shared library, and give its path to pluginActor({ library }).
 *
 * Lanes. Each running actor has a work lane: its functions (start, actions, stop) run one at a time, in the order in which
 * the host asked, on one of the plugin's work threads. They may block and take their time: only their own actor waits.
 * Functions of different actors run at the same time, so what you keep in statics needs a lock. Each middleware has a work
 * lane as well. Connections have a lane of their own, which is the host's thread: `accept` runs there, behind no work.
 *
 * TROUPE_QUICK is for functions that return at once: they run on the host's thread too, and an answer costs no wake of
 * anybody. The whole program waits for them, so they must not block.
 *
 * What functions read from a context is valid until they return or change it. What an action writes is stored together
 * with what it answers, or not at all. Something that goes on when its function has returned is deferred: troupe_defer
 * gives a token which any thread may settle, once, while the actor goes on with its next call.
 *
 * Functions that give an int give 0; TROUPE_TOO_LONG when it is more than a frame holds; or -1 when there is no memory:
 * then the plugin is broken, and the host ends it.
 */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* It is more than a frame holds: nothing was said. */
#define TROUPE_TOO_LONG 1

/* Bytes that belong to somebody else. */
typedef struct {
  const uint8_t *data;
  size_t size;
} troupe_bytes;

/* The bytes of a text that ends with 0. */
troupe_bytes troupe_text(const char *text);

/* One running actor. */
typedef struct troupe_context troupe_context;

/* A call that waits for its answer: of an action or of middleware. Valid until the function that got it returns. */
typedef struct troupe_call troupe_call;

/* A call whose function has returned without an answer: settled once, by any thread. */
typedef struct troupe_deferred troupe_deferred;

/* An error with its type, for the caller to read. */
typedef struct {
  const char *group;
  const char *code;
  const char *message;
} troupe_error;

/* Flags. */
enum {
  /* The functions return at once: they run on the host's thread, in place. */
  TROUPE_QUICK = 1
};

/* An action. `args` is a list of values in the plugin's encoding; raw: the bytes of the one argument. */
typedef struct {
  const char *name;
  void (*run)(troupe_context *c, troupe_call *call, troupe_bytes args);
} troupe_action;

/* An actor. Write it with designated initializers: later versions have more fields, and 0 is each one's default. */
typedef struct {
  const char *name;
  const troupe_action *actions; /* the last one has no name */
  const char *const *events;    /* the last one is NULL; NULL for none */
  const char *options;          /* those of an actor, a JSON object; NULL for the defaults */
  /* The actor is made or wakes; its state is there. NULL: nothing to do. */
  void (*start)(troupe_context *c, int is_new);
  /* The actor sleeps, ends or is lost; it may still write. Frees what start made, and isn't called when the start failed.
   * NULL: nothing to do. */
  void (*stop)(troupe_context *c);
  /* A client wants to be connected. Gives NULL, or why not (static). On the connection lane: it returns at once, knows no
   * context, and its actor's functions may be running. NULL: everybody is. */
  const troupe_error *(*accept)(troupe_bytes params);
  uint32_t flags;
} troupe_actor;

/* Middleware: `kind` is a number of the relay's table. */
typedef struct {
  uint32_t kind;
  const char *name;
  int32_t priority;
  void (*run)(troupe_call *call, troupe_bytes payload);
  uint32_t flags;
} troupe_middleware;

/* How payloads are written. Numbers of plugin/v1. */
enum { TROUPE_CBOR = 1, TROUPE_JSON = 2, TROUPE_RAW = 3 };

/* Work threads of a plugin, when its definition doesn't say. */
#define TROUPE_THREADS 16u
/* Calls that wait on one lane; the next ones fail with actor.overloaded. */
#define TROUPE_LANE_JOBS 4096u

/* The plugin, as it declares itself. */
typedef struct {
  const char *name;
  const char *version;
  uint32_t encoding;
  const troupe_actor *actors;          /* the last one has no name; NULL for none */
  const troupe_middleware *middleware; /* the last one has no name; NULL for none */
  /* Reads the configuration. Gives NULL, or what is wrong with it (static text). NULL: any is fine. */
  const char *(*configure)(troupe_bytes config);
  /* How many lanes work at the same time, at the most: threads are made when there is work and none is free. 0: TROUPE_THREADS. */
  uint32_t threads;
} troupe_definition;

/* Defined by the author of the plugin. */
extern const troupe_definition troupe_plugin_definition;

/* Memory of the author's own for one running actor; NULL at first. */
void *troupe_data(troupe_context *c);
void troupe_set_data(troupe_context *c, void *data);

/* A property of the state: a value in the plugin's encoding, or no bytes at `data` NULL when there is none. */
troupe_bytes troupe_state(troupe_context *c, const char *name);
/*
 * Copies the value. When all that a function wrote turns out to be more than a frame holds, that function has failed: its
 * call's answer becomes the error plugin.frame_too_long, and the state is again what it was before.
 */
int troupe_set_state(troupe_context *c, const char *name, troupe_bytes value);

/* An event for all connections that listen to it. `args` is a list of values. */
int troupe_broadcast(troupe_context *c, const char *event, troupe_bytes args);

/* From `start`: the actor can't start. Nothing of a creation is stored then, and `stop` isn't called. */
void troupe_fail_start(troupe_context *c, troupe_error error);

/* The one answer of a call. Later ones do nothing. */
int troupe_reply(troupe_call *call, troupe_bytes value);
int troupe_fail(troupe_call *call, troupe_error error);

/*
 * The call is answered later, by any thread. NULL: no memory, or what was written doesn't fit in a frame, and the call has
 * failed. The token's last use frees it. What the function writes behind this is stored by itself.
 */
troupe_deferred *troupe_defer(troupe_call *call);
int troupe_settle(troupe_deferred *deferred, troupe_bytes value);
int troupe_reject(troupe_deferred *deferred, troupe_error error);

/*
 * The integer at `index` of a JSON list, or, with TROUPE_ALONE, one that stands alone. 0, or -1: what is there is no
 * integer, or more than 64 bits hold, or the text isn't such a list up to behind it.
 */
#define TROUPE_ALONE ((size_t)-1)
int troupe_json_integer(troupe_bytes json, size_t index, int64_t *value);

#ifdef __cplusplus
}
#endif
#endif
