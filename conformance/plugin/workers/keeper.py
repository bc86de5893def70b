"""The kit's actor in Python: it keeps things wherever an actor can."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import Actor, Plugin, PluginError, Response, Sockets, serve  # noqa: E402


def get(c, key):
    value = c.kv.get(key)
    return None if value is None else value.decode()


def note(c, said):
    c.db.query("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, said TEXT)")
    return c.db.query("INSERT INTO notes (said) VALUES (?)", [said])["lastInsertRowId"]


def note_both(c, one, other):
    """Both, or neither."""
    with c.db.transaction():
        note(c, one)
        if other == "":
            raise PluginError("nothing_said", "there is nothing to note")
        return note(c, other)


def notes(c):
    found = c.db.query("SELECT id, said FROM notes ORDER BY id")
    return [dict(zip(found["columns"], row)) for row in found["rows"]]


def wrong(c):
    try:
        c.db.query("NO SQL")
    except PluginError as error:
        return error.code
    return None


def tell(c, whom, key, value):
    c.actor("keeper", whom).call("put", key, value)
    return c.actor("keeper", whom, existing=True).call("get", key)


def heard(c, socket, message):
    """Says what it is told again, and ends when it is told "bye"."""
    if message == "bye":
        socket.close(4000, "bye")
    elif message == "fail":
        raise PluginError("told_to", "it was told to fail")
    elif isinstance(message, bytes):
        socket.send(message)
    else:
        c.kv.put("heard", message)
        socket.send(f"{message}!")


def answer(_c, request):
    """Answers with the request, or with as much as is asked for."""
    if request.url.endswith("/refused"):
        raise PluginError("refused", "not this one")
    if request.url.endswith("/large"):
        return Response(200, b"x" * 200_000)
    return Response(201, request.method.encode() + b" " + request.body, [("x-kept", "yes")])


ACTIONS = {
    "put": lambda c, key, value: c.kv.put(key, value),
    "get": get,
    "delete": lambda c, key: c.kv.delete(key),
    "keys": lambda c, start: [key.decode() for key, _ in c.kv.list(start, limit=100)],
    "note": note,
    "noteBoth": note_both,
    "notes": notes,
    "wrong": wrong,
    "tell": tell,
    "tellNobody": lambda c: c.actor("keeper", "nobody", existing=True).call("get", "a"),
    "who": lambda c: [c.name, list(c.key), c.actor_id],
    "scope": lambda c: c.scope,
    "whisper": lambda c, said: c.send([c.connection], "whispered", said),
    "leave": lambda c: c.disconnect(c.connection, "enough"),
    "sleep": lambda c: c.sleep(),
    "destroy": lambda c: c.destroy(),
}

serve(
    Plugin(
        name="keeper",
        actors=[
            Actor(
                name="keeper",
                events=["whispered"],
                actions=ACTIONS,
                database=True,
                sockets=Sockets(opened=lambda _c, socket: socket.send("welcome"), heard=heard),
                request=answer,
            )
        ],
    )
)
