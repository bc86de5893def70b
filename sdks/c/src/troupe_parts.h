/*
 * The plugin's end of plugin/v1.
 *
 *   troupe_session.c  what the host says, and the five functions of the ABI: on the host's thread
 *   troupe_actors.c   starts, calls and stops actors, and calls middleware: in place when they are quick, else on a lane
 *   troupe_lanes.c    lanes, and the threads that run them
 *   troupe_context.c  an actor's state and events
 *   troupe_calls.c    frames of answers, and calls that are answered later
 *   troupe_waits.c    calls that wait for what they asked the host
 *   troupe_around.c   the rest of a call, and streams that are read
 *   troupe_streams.c  streams that are answered, of middleware and of actors
 *   troupe_host.c     what is asked of the host's relay
 *   troupe_store.c    what an actor asks of its host, and says of itself
 *   troupe_sockets.c  raw WebSockets
 *   troupe_requests.c HTTP requests
 *   troupe_clients.c  those that are connected
 *   troupe_about.c    what the host says of an actor
 *   troupe_hello.c    what the plugin declares
 *   troupe_queue.c    frames on their way to the host
 *
 * Who touches what. The table of instances is the host's thread's alone (and close's, behind it). An instance's context is
 * its lane's: the host's thread makes it, reads its rows into it, and then only adds jobs to its lane. When it hears Stop
 * it takes it out of the table, adds the last job, and forgets it; that job, or the last call that waits then, frees it. A deferred
 * call keeps no context, only the plugin, its lane's address and two numbers.
 *
 * The plugin (its lanes, and with them all of it) is held by the host until close, by each work thread and by each deferred call: whoever lets go of it last
 * frees it. So close may return while something still runs, and nothing is freed under it.
 *
 * What an actor wrote goes before what it says: each output is preceded by a Write with the rows that changed since.
 */
#ifndef TROUPE_PARTS_H
#define TROUPE_PARTS_H

#include "troupe_client.h"
#include "troupe_socket.h"
#include "troupe_lanes.h"
#include "troupe_queue.h"

typedef struct troupe_row {
  struct troupe_row *next;
  char *name;
  uint8_t *value;
  size_t size;
  /* What the host was told last, while `changed`. */
  uint8_t *before;
  size_t before_size;
  int changed;
  int is_new; /* the host was told nothing of it */
} troupe_row;

/* A key of the actor's that was written, and isn't told yet. */
typedef struct troupe_key_row {
  struct troupe_key_row *next;
  int deleted;
  size_t key_size;
  size_t size;
  uint8_t bytes[]; /* the key, and the value */
} troupe_key_row;

typedef struct troupe_known_client troupe_known_client;
typedef struct troupe_guest troupe_guest;

struct troupe_context {
  struct troupe_context *next; /* in its bucket; behind its Stop among those that end, under the waits' lock */
  troupe_plugin *plugin;
  const troupe_actor *actor;
  uint64_t instance;
  troupe_lane lane;
  troupe_job first_job; /* its start */
  troupe_job last_job;  /* its stop: here, so that it can be added without memory */
  troupe_row *rows;
  troupe_key_row *keys;
  char *about; /* its name, its id and the parts of its key, each with a 0 */
  const char *key_end;
  troupe_socket *sockets; /* raw WebSockets that are open, as functions know them */
  troupe_client *clients; /* that are connected, as functions know them */
  troupe_guest *guests;   /* the same, as the host's thread knows them */
  void *data;
  int is_new;
  int arriving; /* rows are on their way; of the host's thread */
  int started;
  /* Under the waits' lock: nobody answers its questions any more; calls that wait; the last one of those stops it. */
  int ended;
  uint32_t waiting;
  int stops_later;
  /* The function that runs wrote more than a frame holds: nothing of it is said any more. */
  int failed;
  /* It is told to sleep: clients that stay aren't its own to end. */
  int sleeps;
  /* It is told to stop. */
  atomic_int stopping;
  /* Why it can't start. */
  int refused;
  troupe_error refusal;
};

#define BUCKETS 1024u

/* What calls wait for, and streams that are answered. */
typedef struct troupe_wait troupe_wait;
typedef struct troupe_sink troupe_sink;
typedef struct troupe_exchange troupe_exchange;
typedef struct troupe_cancelled troupe_cancelled;
#define WAIT_BUCKETS 64u
typedef struct {
  pthread_mutex_t lock;
  troupe_wait *waiting[WAIT_BUCKETS];
  troupe_sink *sinks;
  troupe_exchange *exchanges; /* HTTP requests that aren't over */
  troupe_cancelled *cancelled; /* calls that run, and that nobody waits for */
  troupe_context *ending;      /* actors that are told to stop and aren't gone */
  atomic_uint cancels;         /* of those */
  uint64_t last; /* number that was given to a question */
  int closed;    /* nobody answers any more */
} troupe_waits;

struct troupe_plugin {
  troupe_queue queue;
  troupe_lanes lanes;
  troupe_waits waits;
  troupe_lane *middleware_lanes; /* one for each that is declared */
  troupe_context *instances[BUCKETS];
};

struct troupe_deferred {
  troupe_plugin *plugin;
  uint64_t instance; /* 0: of middleware */
  uint64_t call;
  troupe_sink *sink; /* the stream that it is a chunk of; NULL: it is the call itself */
};

/* What a function may know of its call. */
typedef struct {
  troupe_lane *lane;  /* that its functions run on; NULL: in place */
  troupe_bytes scope; /* somebody else's memory */
  uint64_t connection;
  uint64_t message; /* of a queue; 0: it is of an action */
  uint32_t attempt;
  uint32_t depth;
  uint32_t timeout_ms;
} call_facts;

/* In a call's number: it is an HTTP request of that number. */
#define REQUEST_CALL (UINT64_C(1) << 63)

struct troupe_call {
  troupe_context *context; /* NULL: of middleware */
  troupe_deferred to;
  call_facts facts;
  int answered; /* or asked, or deferred: it is somebody else's now */
};

/* Fields of PluginFrame, FromActor and Row that are written here. */
enum {
  FRAME_READY = 1,
  FRAME_FAILED = 2,
  FRAME_ACTOR = 3,
  FRAME_RESULT = 4,
  FRAME_PONG = 5,
  FRAME_LOG = 6,
  FRAME_NEXT = 7,
  FRAME_CHUNK = 8,
  FRAME_CHUNK_END = 9,
  FRAME_CHUNK_CREDIT = 10,
  FRAME_HOST_CALL = 11
};
enum { SAY_STARTED = 2, SAY_STOPPED = 3, SAY_WRITE = 4, SAY_REPLY = 5, SAY_CONNECTED = 6, SAY_EVENT = 7 };
enum { SAY_KICK = 8, SAY_ASK = 9, SAY_REST = 10, SAY_END = 11, SAY_LOG = 15, SAY_SUBSCRIBED = 16 };
enum { SAY_SOCKET_ACCEPT = 12, SAY_SOCKET_MESSAGE = 13, SAY_SOCKET_CLOSE = 14 };
enum { SAY_REQUEST_ANSWER = 20, SAY_BODY_CHUNK = 22, SAY_BODY_END = 23, SAY_BODY_CREDIT = 24 };
enum { SAY_STREAM_START = 25, SAY_STREAM_ITEM = 26, SAY_SOCKET_ACKNOWLEDGE = 28 };
enum { SPACE_STATE = 1, SPACE_KV = 2, SPACE_CONNECTION = 4 };

extern const troupe_error too_long;
extern const troupe_error closing;
extern const troupe_error no_memory;
extern const troupe_error next_revoked;
extern const troupe_error overloaded;
extern const troupe_error no_answer;

/* troupe_hello.c */
void greet(troupe_plugin *plugin, wire_reader hello);

/* troupe_calls.c */
void put_error(wire_writer *out, uint32_t field, troupe_error error);
void put_error_fields(wire_writer *out, troupe_error error);
/* A frame of an actor whose message has nothing in it but an error, or not even that. As frame_end. */
int say(troupe_plugin *plugin, uint64_t instance, uint32_t what, const troupe_error *error);
void say_log(troupe_plugin *plugin, uint64_t instance, const char *text);
/* Answers a call that no function has run for. */
void refuse_call(const troupe_deferred *to, troupe_error error);
/* The function of the call has returned. */
void finish_call(troupe_call *call);
/*
 * The call isn't its function's any more: what its actor wrote is said. `joins`: to be stored with what its answer, or its question
 * to the host, changes of what the host keeps. 0, TROUPE_TOO_LONG: it has failed, or -1.
 */
int leave_call(troupe_call *call, int joins);
/* A frame with two numbers and bytes, of middleware. As frame_end. */
int say_around(troupe_plugin *plugin, uint32_t what, const uint64_t numbers[2], troupe_bytes payload);

/* troupe_waits.c */
enum { WAIT_NEXT, WAIT_CHUNK, WAIT_HOST, WAIT_ANSWER };
int waits_open(troupe_waits *waits);
void waits_free(troupe_plugin *plugin);
/* The call waits: `then` gets it back. `number` names what it waits for; 0: a new one. Gives that, or 0: nothing may be asked. */
uint64_t wait_begin(troupe_call *call, uint32_t kind, uint64_t number, troupe_then then, void *data);
/* The question was said, with this status of frame_end. */
void wait_said(troupe_plugin *plugin, uint32_t kind, uint64_t number, int status);
/* The host's answer. `what` is the field that it came in. */
void wait_heard(troupe_plugin *plugin, uint32_t kind, uint32_t what, wire_reader message);
/* Nobody answers what this call, or with 0 any call of the instance, waits for. `error` NULL: the actor has ended. */
void waits_revoke(troupe_plugin *plugin, uint64_t instance, uint64_t call, const troupe_error *error);
/* The actor's functions have run. 1: calls of it wait, and the last one of them stops it. */
int waits_before_stop(troupe_context *c);
/* The actor is told to stop; it is gone; nobody answers anything any more of one that is told to stop. */
void waits_ending(troupe_context *c);
void waits_gone(troupe_context *c);
void waits_lose(troupe_plugin *plugin, uint64_t instance);
/* Something of the actor that was counted as waiting is over. 1: it was the last one, and the actor's stop was left to it. */
int waits_let_go(troupe_context *c);
/* Nobody waits for a call that runs. */
void note_cancelled(troupe_plugin *plugin, uint64_t instance, uint64_t call);
/* A call is over; 0: all of the instance. */
void forget_cancelled(troupe_plugin *plugin, uint64_t instance, uint64_t call);
/* The plugin closes. */
void waits_close(troupe_plugin *plugin);

/* troupe_streams.c */
/* The answer where a chunk is wanted: with a value, with an error, or neither, which ends it. As frame_end. */
int answer_chunk(const troupe_deferred *to, const troupe_bytes *value, const troupe_bytes *error);
void heard_credit(troupe_plugin *plugin, wire_reader message);
/* The same of an actor's: StreamCredit. -1: it can't be. */
int heard_item_credit(troupe_plugin *plugin, uint64_t instance, wire_reader message);
/* The streams of a call (0: of all) of an instance (NULL: of everybody) are over: nobody wants them. */
void stop_sinks(troupe_plugin *plugin, const uint64_t *instance, uint64_t call);

/* troupe_context.c */
/* Says what changed since the last Write, if anything did. TROUPE_TOO_LONG: it is taken back, and the function has failed. */
int write_rows(troupe_context *c);
/* The same, joined to a call's answer or question. */
int write_joined(troupe_context *c, uint64_t call);
/* A row that was stored, or is to be. NULL: no memory. */
troupe_row *put_row(troupe_context *c, troupe_bytes name, troupe_bytes value);
/* The host knows all rows as they are. */
void rows_known(troupe_context *c);
void free_context(troupe_context *c);
/* An event; `connection` 0: for everyone who listens. */
int say_event(troupe_context *c, const char *event, troupe_bytes args, uint64_t connection);

/* troupe_clients.c */
/* What is stored of a client's state, as a row; `out` NULL: only its bytes. */
void put_client_state(wire_writer *out, troupe_bytes id, troupe_bytes state, size_t *bytes);
/* The host asks and tells about connections; else it accepts them by itself. */
int knows_clients(const troupe_actor *actor);
/* A Connect, a Disconnect or a Subscribe; and one that stayed, before the start. -1: no memory, or the host sent what can't be. */
int heard_client(troupe_context *c, uint32_t what, wire_reader message);
int stayed_client(troupe_context *c, wire_reader sleeper);
/* Rows of what changed of the states of clients that stay; `out` NULL: only their bytes. 1: there is one. */
int put_changed_clients(wire_writer *out, const troupe_context *c, size_t *bytes);
void clients_known(troupe_context *c);
/* The actor has stopped: those that don't stay end with it. */
void clients_leave(troupe_context *c);
void free_clients(troupe_context *c);

/* troupe_sockets.c: as those of troupe_clients.c. */
int heard_socket(troupe_context *c, uint32_t what, wire_reader message);
int stayed_socket(troupe_context *c, wire_reader sleeper);
int put_changed_sockets(wire_writer *out, const troupe_context *c, size_t *bytes);
void sockets_known(troupe_context *c);
void free_sockets(troupe_context *c);

/* troupe_requests.c */
int heard_request(troupe_context *c, uint32_t what, wire_reader message);
/* The answer of a request's call: bytes, an error, or one as the host said it. As frame_end. */
int answer_request(const troupe_deferred *to, troupe_bytes value, const troupe_error *error, troupe_bytes whole);
/* A job that isn't run. */
void drop_request(troupe_job *job);
/* Those of an instance are over; 0: all. */
void end_exchanges(troupe_plugin *plugin, uint64_t instance);

/* troupe_about.c */
/* Keeps what Start says. -1: no memory. */
int keep_about(troupe_context *c, wire_reader start);

/* troupe_actors.c: each -1 when the host sent what can't be. */
int start_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message);
int more_rows(troupe_plugin *plugin, uint64_t instance, wire_reader rows);
int call_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message);
int cancel_call(troupe_plugin *plugin, uint64_t instance, wire_reader message);
/* Nobody waits for a call. */
void cancel_number(troupe_plugin *plugin, uint64_t instance, uint64_t call);
int cancel_middleware(troupe_plugin *plugin, wire_reader message);
int stop_actor(troupe_plugin *plugin, uint64_t instance, wire_reader message);
int socket_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message);
int request_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message);
int client_of(troupe_plugin *plugin, uint64_t instance, uint32_t what, wire_reader message);
int call_middleware(troupe_plugin *plugin, wire_reader message);
/* The actor's end: nothing of it is touched behind this. */
void run_stop(troupe_context *c);
/* All that run. */
void stop_actors(troupe_plugin *plugin);

#endif
