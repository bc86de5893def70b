/*
 * Raw WebSockets of an actor: a protocol of its own. Each is accepted at once; what happens to it runs on its actor's lane, in
 * order, as every function of that actor.
 */
#ifndef TROUPE_SOCKET_H
#define TROUPE_SOCKET_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One that was opened. */
typedef struct {
  uint64_t number;       /* for the functions below */
  troupe_bytes url;      /* as the actor sees it */
  troupe_bytes protocol; /* that was agreed on; empty for none */
} troupe_socket;

/* A table of an actor's. Any may be NULL. */
struct troupe_sockets {
  void (*opened)(troupe_context *c, const troupe_socket *socket);
  void (*heard)(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text);
  /* The client is gone. */
  void (*closed)(troupe_context *c, uint64_t socket);
};

/* A message to its client, behind all that was written and said before. */
int troupe_socket_text(troupe_context *c, uint64_t socket, troupe_bytes text);
int troupe_socket_bytes(troupe_context *c, uint64_t socket, troupe_bytes bytes);
/* Ends it. */
int troupe_socket_close(troupe_context *c, uint64_t socket, uint32_t code, const char *reason);

#ifdef __cplusplus
}
#endif
#endif
