/*
 * What an actor has beside its state: keys and values, a database, other actors, its connections, its end.
 *
 * What asks the host takes the call and gives it back to `then`, as troupe_actor.h says. What writes is stored with what the
 * function says next, or when it returns.
 */
#ifndef TROUPE_STORE_H
#define TROUPE_STORE_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name that the actor is registered under, its id, and the parts of its key; NULL behind the last one. */
const char *troupe_name(const troupe_context *c);
const char *troupe_actor_id(const troupe_context *c);
const char *troupe_key(const troupe_context *c, size_t part);

/* Keys and values: bytes. Both copied. As troupe_set_state. */
int troupe_kv_put(troupe_context *c, troupe_bytes key, troupe_bytes value);
int troupe_kv_delete(troupe_context *c, troupe_bytes key);

/* Reads a key: `then` finds it with troupe_next_row. Of an actor's call, as all below. */
void troupe_kv_get(troupe_call *call, troupe_bytes key, troupe_then then, void *data);

/* Which keys, in byte order. */
typedef struct {
  troupe_bytes start; /* with it */
  troupe_bytes end;   /* without it; no bytes: to the last one */
  uint32_t limit;
  int reverse;
} troupe_keys;
void troupe_kv_list(troupe_call *call, troupe_keys keys, troupe_then then, void *data);

/* The rows of an outcome, one after the other: begin with {0}. 1: there is one; 0: there are no more. */
typedef struct {
  size_t at;
  troupe_bytes key;
  troupe_bytes value;
} troupe_row_reader;
int troupe_next_row(const troupe_outcome *outcome, troupe_row_reader *row);

/*
 * Runs a statement of the actor's own database: one that declares `.database`. Parameters are a list, or an object by name, in
 * CBOR whatever the plugin's encoding is (troupe_value.h); no bytes for none. So is what `then` gets: an object with columns,
 * rows (lists), changes and lastInsertRowId.
 */
void troupe_sql(troupe_call *call, const char *sql, troupe_bytes params, troupe_then then, void *data);
/* The same in a transaction that troupe_begin gave; until it ends other statements wait for it. */
void troupe_sql_in(troupe_call *call, uint64_t transaction, const char *sql, troupe_bytes params, troupe_then then,
                   void *data);
/* Begins a transaction, inside `outer` or, with 0, in none: its number. `then` hears when it is open. */
uint64_t troupe_begin(troupe_call *call, uint64_t outer, troupe_then then, void *data);
/* Ends it: what was written in it stays, or is undone. One that is left open the host undoes, when its time is up. */
void troupe_commit(troupe_call *call, uint64_t transaction, troupe_then then, void *data);
void troupe_undo(troupe_call *call, uint64_t transaction, troupe_then then, void *data);

/*
 * What was written is on disk when `then` hears of it. A function needs it before I/O that its host can't see: answers, events and calls of
 * other actors wait for the disk without it.
 */
void troupe_save_state(troupe_call *call, troupe_then then, void *data);

/* What to do where there is no such actor. */
enum { TROUPE_GET = 1, TROUPE_GET_OR_CREATE = 2, TROUPE_CREATE = 3 };

/* A call of another actor. Write it with designated initializers. */
typedef struct {
  const char *name;
  const char *const *key; /* the last part is NULL; NULL: no parts */
  uint32_t method;        /* 0: TROUPE_GET_OR_CREATE */
  troupe_bytes input;     /* of one that is made: a value */
  const char *action;     /* NULL: it is found, or made, and gives its id */
  troupe_bytes args;      /* a list of values */
  int sends;              /* `action` is a queue, and `args` a message for it */
  uint32_t timeout_ms;    /* 0 for no limit */
} troupe_other;
/* For a plugin whose host lets it call others. */
void troupe_call_other(troupe_call *call, const troupe_other *other, troupe_then then, void *data);

/* An event for one connection alone, whether it listens or not, and its end. */
int troupe_send(troupe_context *c, uint64_t connection, const char *event, troupe_bytes args);
int troupe_disconnect(troupe_context *c, uint64_t connection, const char *reason);

/* The actor doesn't sleep while it isn't idle. */
int troupe_set_idle(troupe_context *c, int idle);
/* The actor sleeps when its functions have returned; or ends, with all that is stored of it. */
int troupe_sleep(troupe_context *c);
int troupe_destroy(troupe_context *c);

#ifdef __cplusplus
}
#endif
#endif
