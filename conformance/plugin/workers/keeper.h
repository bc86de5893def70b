/* The kit's actor, in two parts. */
#ifndef KEEPER_H
#define KEEPER_H

#include "troupe_store.h"
#include "troupe_value.h"

#define LONGEST 256

/* The text at a place of the arguments. */
troupe_bytes argument(troupe_bytes args, size_t at);
void reply_with(troupe_call *call, troupe_writer *answer);
void reply_item(troupe_call *call, troupe_value item);
void reply_null(troupe_call *call);
void reply_text(troupe_call *call, troupe_bytes text);

/* keeper-clients.c */
extern const troupe_clients clients;
const troupe_error *accept_client(troupe_bytes params);
void visits(troupe_context *c, troupe_call *call, troupe_bytes args);
void here(troupe_context *c, troupe_call *call, troupe_bytes args);
void tell_secret(troupe_context *c, troupe_call *call, troupe_bytes args);

/* keeper-sockets.c */
extern const troupe_sockets raw_sockets;
void open_sockets(troupe_context *c, troupe_call *call, troupe_bytes args);

/* keeper-time.c */
void started(troupe_context *c, int is_new);
void answer(troupe_context *c, troupe_call *call, const troupe_request *request);
void take(troupe_context *c, troupe_call *call, troupe_bytes args);
void complete(troupe_context *c, troupe_call *call, troupe_bytes args);
void give_up(troupe_context *c, troupe_call *call, troupe_bytes args);
void send_inbox(troupe_context *c, troupe_call *call, troupe_bytes args);
void later(troupe_context *c, troupe_call *call, troupe_bytes args);
void later_unknown(troupe_context *c, troupe_call *call, troupe_bytes args);
void scheduled(troupe_context *c, troupe_call *call, troupe_bytes args);
void cancel(troupe_context *c, troupe_call *call, troupe_bytes args);
void tick(troupe_context *c, troupe_call *call, troupe_bytes args);
void every(troupe_context *c, troupe_call *call, troupe_bytes args);
void cron(troupe_context *c, troupe_call *call, troupe_bytes args);
void jobs(troupe_context *c, troupe_call *call, troupe_bytes args);
void stop_job(troupe_context *c, troupe_call *call, troupe_bytes args);
void hold(troupe_context *c, troupe_call *call, troupe_bytes args);
void let_go(troupe_context *c, troupe_call *call, troupe_bytes args);
void wakes(troupe_context *c, troupe_call *call, troupe_bytes args);
void watch(troupe_context *c, troupe_call *call, troupe_bytes args);
void count(troupe_context *c, troupe_call *call, troupe_bytes args);
void count_and_fail(troupe_context *c, troupe_call *call, troupe_bytes args);
void do_job(troupe_context *c, troupe_call *call, troupe_bytes args);
void do_trial(troupe_context *c, troupe_call *call, troupe_bytes args);

#endif
