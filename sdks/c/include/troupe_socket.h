/*
 * Raw WebSockets of an actor: a protocol of its own. Each is accepted at once; what happens to it runs on its actor's lane, in
 * order, as every function of that actor. Its client stays while the actor sleeps, unless the actor's options say
 * `canHibernateWebSocket: false`; then it is there again before `start`, with its state, and nothing is told.
 */
#ifndef TROUPE_SOCKET_H
#define TROUPE_SOCKET_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One of them. Valid until it is gone. */
typedef struct troupe_socket {
  struct troupe_socket *next; /* of the actor; NULL behind the last one */
  uint64_t number;            /* for the functions below; another one each time that the actor wakes */
  troupe_bytes url;           /* as the actor sees it */
  troupe_bytes protocol;      /* that was agreed on; empty for none */
  troupe_bytes id;            /* its name, which it keeps */
  troupe_bytes params;        /* connection parameters: a value; no bytes for none */
  troupe_bytes state;         /* the author's own: a value; no bytes until troupe_set_socket_state */
  uint64_t index;             /* which message of its client is heard, or was last since the actor woke, counted over all
                                 activations: one that wasn't finished comes again with the same. 0: it doesn't stay, or none */
} troupe_socket;

/* A table of an actor's. Any may be NULL. */
struct troupe_sockets {
  void (*opened)(troupe_context *c, const troupe_socket *socket);
  void (*heard)(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text);
  /* The client is gone: the last time that it is found. */
  void (*closed)(troupe_context *c, uint64_t socket);
};

/* Those that are open: the first one; NULL for none. */
const troupe_socket *troupe_first_socket(const troupe_context *c);
/* The same of one number; NULL: it is gone. */
const troupe_socket *troupe_find_socket(const troupe_context *c, uint64_t socket);
/* Sets its state: copied, and stored with what the function says next. As troupe_set_state; one that is gone has none. */
int troupe_set_socket_state(troupe_context *c, uint64_t socket, troupe_bytes value);

/* A message to its client, behind all that was written and said before. */
int troupe_socket_text(troupe_context *c, uint64_t socket, troupe_bytes text);
int troupe_socket_bytes(troupe_context *c, uint64_t socket, troupe_bytes bytes);
/* Ends it. */
int troupe_socket_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason);

#ifdef __cplusplus
}
#endif
#endif
