/*
 * HTTP requests of an actor, which come to its `.request` as calls. Their bodies are whole before it runs, 8 MiB at the most. The
 * function answers with troupe_respond, or with troupe_reply (200, and the bytes as they are), or fails; it may ask and be
 * deferred as any other. The answer's body leaves as its client takes it: a slow one holds nobody up.
 */
#ifndef TROUPE_REQUEST_H
#define TROUPE_REQUEST_H

#include "troupe_actor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One of them. Its bytes are valid until the function that got it returns. */
struct troupe_request {
  troupe_bytes method;
  troupe_bytes url; /* as the actor sees it */
  troupe_bytes body;
  troupe_bytes headers; /* for troupe_next_header */
};

/* A header. */
typedef struct {
  troupe_bytes name;
  troupe_bytes value;
} troupe_header;

/* The headers of a request, one after the other: begin with 0 at `at`. 1: there is one; 0: there are no more. */
int troupe_next_header(const troupe_request *request, size_t *at, troupe_header *header);

/* An answer. Write it with designated initializers. All of it is copied. */
typedef struct {
  uint32_t status;              /* 0: 200 */
  const troupe_header *headers; /* the last one has no name; NULL for none */
  troupe_bytes body;
} troupe_response;

/* The one answer of a request's call. As troupe_reply. */
int troupe_respond(troupe_call *call, const troupe_response *response);

#ifdef __cplusplus
}
#endif
#endif
