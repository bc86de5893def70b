/*
 * Clients of an actor, as far as its author wants to know of them: a table of functions, and those that are connected.
 *
 * Who wants to be connected, and who wants to listen, is asked on the connection lane, which is the host's thread: it returns at
 * once, knows no context, and its actor's functions may be running. What is told of them runs on the actor's lane, in order. A client
 * stays while the actor sleeps, with its state; then it is there again before `start`, and nothing is told.
 */
#ifndef TROUPE_CLIENT_H
#define TROUPE_CLIENT_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One that is connected. Valid until it is gone. */
typedef struct troupe_client {
  struct troupe_client *next; /* of the actor; NULL behind the last one */
  uint64_t number;            /* as troupe_connection and troupe_send have it; another one each time that the actor wakes */
  troupe_bytes id;            /* its name, which it keeps */
  troupe_bytes params;        /* connection parameters: a value; no bytes for none */
  troupe_bytes state;         /* the author's own: a value; no bytes until troupe_set_client_state */
} troupe_client;

/* A table of an actor's. Any may be NULL. */
struct troupe_clients {
  /* A client is connected: before anything that it asks for. */
  void (*connected)(troupe_context *c, const troupe_client *client);
  /* It is gone, or ends with the actor. */
  void (*disconnected)(troupe_context *c, const troupe_client *client);
  /* It wants to listen to one of the actor's events. Gives NULL, or why not (static). NULL: everybody may. */
  const troupe_error *(*can_subscribe)(troupe_bytes params, troupe_bytes event);
};

/* Those that are connected, of an actor that has such a table or `accept`: the first one; NULL for none. */
const troupe_client *troupe_first_client(const troupe_context *c);
/* The same of one number; NULL: it isn't connected. */
const troupe_client *troupe_find_client(const troupe_context *c, uint64_t connection);
/* Sets its state: copied, and stored with what the function says next. As troupe_set_state; one that is gone has none. */
int troupe_set_client_state(troupe_context *c, uint64_t connection, troupe_bytes value);

#ifdef __cplusplus
}
#endif
#endif
