/*
 * Actors and middleware in C: define `troupe_definition troupe_plugin_definition`, compile it together with
 * the sources in src/ into a shared library, and give its path to pluginActor({ library }).
 *
 * Your functions are called on the host's thread, one at a time, and must not block. What they read from a context is
 * valid until they return or change it. What they write is stored together with what they answer, or not at all.
 * Something that takes long is deferred: troupe_defer gives a token which any thread may settle, once.
 *
 * Functions that give an int give 0, or -1 when there is no memory: then the plugin is broken, and the host ends it.
 */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* An action. `args` is a list of values in the plugin's encoding; raw: the bytes of the one argument. */
typedef struct {
  const char *name;
  void (*run)(troupe_context *c, troupe_call *call, troupe_bytes args);
} troupe_action;

typedef struct {
  const char *name;
  const troupe_action *actions; /* the last one has no name */
  const char *const *events;    /* the last one is NULL; NULL for none */
  const char *options;          /* those of an actor, a JSON object; NULL for the defaults */
  /* The actor is made or wakes; its state is there. NULL: nothing to do. */
  void (*start)(troupe_context *c, int is_new);
  /* The actor sleeps, ends or is lost; it may still write. Frees what start made. NULL: nothing to do. */
  void (*stop)(troupe_context *c);
} troupe_actor;

/* Middleware: `kind` is a number of the relay's table. */
typedef struct {
  uint32_t kind;
  const char *name;
  int32_t priority;
  void (*run)(troupe_call *call, troupe_bytes payload);
} troupe_middleware;

/* How payloads are written. Numbers of plugin/v1. */
enum { TROUPE_CBOR = 1, TROUPE_JSON = 2, TROUPE_RAW = 3 };

/* The plugin, as it declares itself. */
typedef struct {
  const char *name;
  const char *version;
  uint32_t encoding;
  const troupe_actor *actors;          /* the last one has no name; NULL for none */
  const troupe_middleware *middleware; /* the last one has no name; NULL for none */
  /* Reads the configuration. Gives NULL, or what is wrong with it (static text). NULL: any is fine. */
  const char *(*configure)(troupe_bytes config);
} troupe_definition;

/* Defined by the author of the plugin. */
extern const troupe_definition troupe_plugin_definition;

/* Memory of the author's own for one running actor; NULL at first. */
void *troupe_data(troupe_context *c);
void troupe_set_data(troupe_context *c, void *data);

/* A property of the state: a value in the plugin's encoding, or no bytes at `data` NULL when there is none. */
troupe_bytes troupe_state(troupe_context *c, const char *name);
/* Copies the value. */
int troupe_set_state(troupe_context *c, const char *name, troupe_bytes value);

/* An event for all connections that listen to it. `args` is a list of values. */
int troupe_broadcast(troupe_context *c, const char *event, troupe_bytes args);

/* The one answer of a call. Later ones do nothing. */
int troupe_reply(troupe_call *call, troupe_bytes value);
int troupe_fail(troupe_call *call, troupe_error error);

/* The call is answered later, by any thread. NULL: no memory, and the call has failed. The token's last use frees it. */
troupe_deferred *troupe_defer(troupe_call *call);
int troupe_settle(troupe_deferred *deferred, troupe_bytes value);
int troupe_reject(troupe_deferred *deferred, troupe_error error);

/* The integer at `index` of a flat JSON list, or, with TROUPE_ALONE, one that stands alone. 0, or -1: there is none. */
#define TROUPE_ALONE ((size_t)-1)
int troupe_json_integer(troupe_bytes json, size_t index, int64_t *value);

#ifdef __cplusplus
}
#endif
#endif
