/* The kit's actor in C: whom it knows. A connection's state is a list: who it is, and how often it called. */
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "troupe_client.h"

/* The text of one encoded value; no bytes for anything else. */
static troupe_bytes text_of(troupe_bytes value) {
  troupe_bytes none = {NULL, 0};
  troupe_reader reader;
  troupe_value item;
  troupe_read(&reader, value);
  return troupe_next(&reader, &item) == 0 && item.kind == TROUPE_TEXT ? item.bytes : none;
}

static troupe_bytes name_in(troupe_bytes params) {
  troupe_bytes name = {NULL, 0};
  if (params.size == 0 || troupe_member(params, "name", &name) != 0) name.size = 0;
  return name.size == 0 ? name : text_of(name);
}

static int is(troupe_bytes text, const char *other) {
  return text.size == strlen(other) && (text.size == 0 || memcmp(text.data, other, text.size) == 0);
}

const troupe_error *accept_client(troupe_bytes params) {
  static const troupe_error not_you = {"user", "not_you", "You aren't let in"};
  return is(name_in(params), "nobody") ? &not_you : NULL;
}

static const troupe_error *can_subscribe(troupe_bytes params, troupe_bytes event) {
  static const troupe_error not_for_you = {"user", "not_for_you", "That isn't for you"};
  return is(event, "secret") && !is(name_in(params), "ann") ? &not_for_you : NULL;
}

static void set_visits(troupe_context *c, uint64_t client, troupe_bytes name, double visits) {
  troupe_writer state = {0};
  const troupe_value who = {.kind = TROUPE_TEXT, .bytes = name};
  const troupe_value count = {.kind = TROUPE_NUMBER, .number = visits};
  troupe_put_list(&state, 2);
  troupe_put(&state, &who);
  troupe_put(&state, &count);
  const troupe_bytes value = {state.data, state.size};
  troupe_set_client_state(c, client, value);
  free(state.data);
}

/* Comings are in the state, where a function that answers no call can read them; and in a key, where the kit looks. */
static void note_coming(troupe_context *c, char how, troupe_bytes name) {
  const troupe_bytes stored = troupe_state(c, "comings");
  const troupe_bytes before = stored.size == 0 ? stored : text_of(stored);
  char said[LONGEST];
  if (before.size + name.size + 2 > sizeof said) return;
  if (before.size > 0) memcpy(said, before.data, before.size);
  said[before.size] = how;
  memcpy(said + before.size + 1, name.data, name.size);
  said[before.size + 1 + name.size] = ' ';
  const troupe_bytes comings = {(const uint8_t *)said, before.size + name.size + 2};
  troupe_writer state = {0};
  const troupe_value value = {.kind = TROUPE_TEXT, .bytes = comings};
  troupe_put(&state, &value);
  const troupe_bytes encoded = {state.data, state.size};
  troupe_set_state(c, "comings", encoded);
  troupe_kv_put(c, troupe_text("comings"), comings);
  free(state.data);
}

static void connected(troupe_context *c, const troupe_client *client) {
  static const char welcome[] = "welcome ";
  const troupe_bytes name = name_in(client->params);
  char said[LONGEST];
  set_visits(c, client->number, name, 0);
  if (is(name, "bad")) {
    troupe_disconnect(c, client->number, "user.bad");
    return;
  }
  if (name.size == 0 || name.size + sizeof welcome > sizeof said) return;
  note_coming(c, '+', name);
  memcpy(said, welcome, sizeof welcome - 1);
  memcpy(said + sizeof welcome - 1, name.data, name.size);
  const troupe_value text = {.kind = TROUPE_TEXT, .bytes = {(const uint8_t *)said, sizeof welcome - 1 + name.size}};
  troupe_writer args = {0};
  troupe_put_list(&args, 1);
  troupe_put(&args, &text);
  const troupe_bytes words = {args.data, args.size};
  troupe_send(c, client->number, "whispered", words);
  free(args.data);
}

static void disconnected(troupe_context *c, const troupe_client *client) {
  const troupe_bytes name = name_in(client->params);
  if (name.size > 0 && !is(name, "bad")) note_coming(c, '-', name);
}

const troupe_clients clients = {.connected = connected, .disconnected = disconnected, .can_subscribe = can_subscribe};

void visits(troupe_context *c, troupe_call *call, troupe_bytes args) {
  const troupe_client *client = troupe_find_client(c, troupe_connection(call));
  troupe_bytes count;
  troupe_reader reader;
  troupe_value item;
  (void)args;
  if (client == NULL || troupe_element(client->state, 1, &count) != 0) {
    reply_null(call);
    return;
  }
  troupe_read(&reader, count);
  if (troupe_next(&reader, &item) != 0) return;
  set_visits(c, client->number, name_in(client->params), item.number + 1);
  troupe_reply(call, client->state);
}

/* In the order of their names: there are two at the most. */
void here(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_bytes names[2] = {{NULL, 0}, {NULL, 0}};
  size_t count = 0;
  (void)args;
  for (const troupe_client *at = troupe_first_client(c); at != NULL && count < 2; at = at->next)
    names[count++] = name_in(at->params);
  const int swap = count == 2 && names[0].data[0] > names[1].data[0];
  troupe_writer answer = {0};
  troupe_put_list(&answer, count);
  for (size_t at = 0; at < count; at += 1) {
    const troupe_value name = {.kind = TROUPE_TEXT, .bytes = names[swap ? count - 1 - at : at]};
    troupe_put(&answer, &name);
  }
  reply_with(call, &answer);
}

void tell_secret(troupe_context *c, troupe_call *call, troupe_bytes args) {
  troupe_broadcast(c, "secret", args);
  reply_null(call);
}
