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

/* One open plugin. */
typedef struct troupe_plugin troupe_plugin;

/* One running actor. */
typedef struct troupe_context troupe_context;

/* Its functions for raw WebSockets: troupe_socket.h. */
typedef struct troupe_sockets troupe_sockets;

/* Its functions for those that are connected: troupe_client.h. */
typedef struct troupe_clients troupe_clients;
/* How an actor's queue delivers again: troupe_kept.h. */
typedef struct troupe_delivery troupe_delivery;

/* An HTTP request: troupe_request.h. */
typedef struct troupe_request troupe_request;

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
  int database; /* it has one of its own: troupe_store.h */
  const troupe_sockets *sockets; /* it takes raw WebSockets: troupe_socket.h; NULL: it takes none */
  /* Its own queues: troupe_kept.h. The last one has no name; one without a function is for functions to take from. */
  const troupe_action *queues;
  /* Answers HTTP requests: troupe_request.h. NULL: it takes none. */
  void (*request)(troupe_context *c, troupe_call *call, const troupe_request *request);
  const troupe_delivery *deliveries; /* how its queues deliver again: troupe_kept.h; NULL: as all do */
  const troupe_clients *clients; /* who comes, who leaves, who may listen: troupe_client.h; NULL: it doesn't ask */
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
  /* The host has taken the plugin in: from now on it may be told things (troupe_host.h). On the host's thread. NULL: nothing to do. */
  void (*ready)(troupe_plugin *plugin);
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

/* The actor that the call is of; NULL: it is of middleware. */
troupe_context *troupe_context_of(const troupe_call *call);
/* The plugin that it is a call of. */
troupe_plugin *troupe_plugin_of(const troupe_call *call);
/* The scope of the host's relay that the call runs in: its propagation value, JSON text; empty for none. */
troupe_bytes troupe_scope(const troupe_call *call);
/* What was left of the caller's time when it began, in ms; 0 for no limit. */
uint32_t troupe_timeout(const troupe_call *call);
/* The caller's connection; 0 for a call without one, and of middleware. */
uint64_t troupe_connection(const troupe_call *call);

/* 1: nobody waits for the call any more, or its actor is told to stop. A function that takes long asks now and then; where there is
 * one thread (WebAssembly) it changes between functions. */
int troupe_aborted(const troupe_call *call);

/* The one answer of a call. Later ones do nothing. An action answers with items by troupe_reply_stream (troupe_around.h). */
int troupe_reply(troupe_call *call, troupe_bytes value);
int troupe_fail(troupe_call *call, troupe_error error);

/* What came of a question to the host. Valid until the function that got it returns. */
typedef struct {
  troupe_bytes value;
  /* Why there is no value; NULL: nothing went wrong. */
  const troupe_error *error;
  /* There is no value, for it comes in chunks: the stream's number, for troupe_read_chunk. Else 0. */
  uint64_t stream;
  /* Of a chunk: there is none any more. */
  int ended;
  /* The error with all that the host said of it, and the host's whole answer. */
  troupe_bytes whole_error;
  troupe_bytes whole;
} troupe_outcome;

/*
 * Instead of an answer a call may ask the host something: the function that asks returns, its lane goes on with what comes
 * next, and `then` gets the call back, exactly once, with what came of it: there it is answered, or asks again. What its
 * actor wrote before is with the host already. `then` also runs when nothing could be asked, or nobody answers any more
 * (the call was cancelled, the actor ends, the plugin closes): then it has an error, and frees `data` as ever.
 */
typedef void (*troupe_then)(troupe_call *call, void *data, const troupe_outcome *outcome);

/* Answers a call with an outcome as it is: its value, or its error, which keeps all that was said of it. */
int troupe_pass(troupe_call *call, const troupe_outcome *outcome);

/*
 * The call is answered later, by any thread. NULL: no memory, or what was written doesn't fit in a frame, or it is an item of a quick
 * actor's result, and the call has failed. The token's last use frees it. What the function writes behind this is stored by itself.
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
