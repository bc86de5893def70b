/* The kit's actor in C: its raw WebSockets. A socket's state is how often it said "mark". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "troupe_socket.h"

static void welcome(troupe_context *c, const troupe_socket *socket) {
  troupe_socket_text(c, socket->number, troupe_text("welcome"));
}

static int says(troupe_bytes message, const char *text) {
  return message.size == strlen(text) && (message.size == 0 || memcmp(message.data, text, message.size) == 0);
}

/* A socket's path: what is behind its host, to the end. */
static troupe_bytes path_of(const troupe_socket *socket) {
  troupe_bytes path = socket->url;
  for (int slashes = 0; path.size > 0; path.data += 1, path.size -= 1) {
    slashes += *path.data == '/';
    if (slashes == 3) break;
  }
  return path;
}

/* Counts in the socket's state, and says what it counted. */
static void mark(troupe_context *c, uint64_t number, troupe_bytes message) {
  const troupe_socket *socket = troupe_find_socket(c, number);
  int64_t marks = 0, wakes = 0;
  if (socket == NULL) return;
  if (socket->state.size > 0) troupe_whole(socket->state, &marks);
  troupe_whole(troupe_state(c, "wakes"), &wakes);
  troupe_writer state = {0};
  troupe_put_integer(&state, marks + 1);
  troupe_set_socket_state(c, number, (troupe_bytes){state.data, state.size});
  free(state.data);
  const troupe_bytes path = path_of(socket);
  char said[LONGEST];
  const size_t size = message.size + 1 + path.size;
  if (size + 32 > sizeof said) return;
  memcpy(said, message.data, message.size);
  said[message.size] = ' ';
  memcpy(said + message.size + 1, path.data, path.size);
  snprintf(said + size, 32, " %d %d", (int)marks + 1, (int)wakes);
  troupe_socket_text(c, number, troupe_text(said));
}

static void gone(troupe_context *c, uint64_t socket) {
  troupe_kv_put(c, troupe_text("gone"), path_of(troupe_find_socket(c, socket)));
}

/* In the order of their paths: there are two at the most. */
void open_sockets(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_bytes paths[2] = {{NULL, 0}, {NULL, 0}};
  size_t count = 0;
  (void)args;
  for (const troupe_socket *at = troupe_first_socket(c); at != NULL && count < 2; at = at->next)
    paths[count++] = path_of(at);
  const int swap = count == 2 && paths[0].data[1] > paths[1].data[1];
  troupe_writer answer = {0};
  troupe_put_list(&answer, count);
  for (size_t at = 0; at < count; at += 1) {
    const troupe_value path = {.kind = TROUPE_TEXT, .bytes = paths[swap ? count - 1 - at : at]};
    troupe_put(&answer, &path);
  }
  reply_with(call, &answer);
}

/* Says what it is told again, and ends when it is told "bye". */
static void heard(troupe_context *c, uint64_t socket, troupe_bytes message, int is_text) {
  char said[LONGEST];
  if (!is_text) {
    troupe_socket_bytes(c, socket, message);
  } else if (says(message, "bye")) {
    troupe_socket_close(c, socket, 4000, "bye");
  } else if (message.size >= 4 && memcmp(message.data, "mark", 4) == 0) {
    mark(c, socket, message);
  } else if (says(message, "fail")) {
    troupe_socket_close(c, socket, 1011, "user.told_to");
  } else if (message.size < LONGEST) {
    if (message.size > 0) memcpy(said, message.data, message.size);
    said[message.size] = '!';
    const troupe_bytes louder = {(const uint8_t *)said, message.size + 1};
    troupe_kv_put(c, troupe_text("heard"), message);
    troupe_socket_text(c, socket, louder);
  }
}

const troupe_sockets raw_sockets = {.opened = welcome, .heard = heard, .closed = gone};
