"""The kit's actor in Python: it keeps things wherever an actor can."""

import os
import sys
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../sdks/python"))

from troupe_plugin import Actor, Delivery, Plugin, PluginError, Response, Sockets, serve  # noqa: E402


def save(c, key, value):
    c.kv.put(key, value)
    c.save()


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


def path(socket):
    return urlsplit(socket.url).path


def heard(c, socket, message):
    """Says what it is told again, and ends when it is told "bye"."""
    if message == "bye":
        socket.close(4000, "bye")
    elif message == "fail":
        raise PluginError("told_to", "it was told to fail")
    elif isinstance(message, bytes):
        socket.send(message)
    elif message.startswith("mark"):
        socket.state = (socket.state or 0) + 1
        socket.send(f"{message} {path(socket)} {socket.state} {c.state['wakes']}")
    else:
        c.kv.put("heard", message)
        socket.send(f"{message}!")


def gone(c, socket):
    c.kv.put("gone", path(socket))


def answer(_c, request):
    """Answers with the request, or with as much as is asked for."""
    if request.url.endswith("/refused"):
        raise PluginError("refused", "not this one")
    if request.url.endswith("/large"):
        return Response(200, b"x" * 200_000)
    return Response(201, request.method.encode() + b" " + request.body, [("x-kept", "yes")])


def do_job(c, message):
    """Fails with the first delivery of what says so."""
    if message.body == "fail once" and message.attempts == 1:
        raise PluginError("not_yet", "the first time it fails")
    c.kv.put("done", (c.kv.get("done") or b"").decode() + f"{message.body},")
    return f"did {message.body}"


def do_trial(c, message):
    """Fails with each delivery, and keeps which one it was."""
    c.kv.put("tried", str(message.attempts))
    raise PluginError("never", "it always fails")


def take(c, timeout_ms):
    message = c.queue.next("inbox", timeout_ms=timeout_ms)
    return None if message is None else message.body


def complete(c, reply):
    message = c.queue.next("inbox", timeout_ms=0, completable=True)
    if message is None:
        return None
    message.complete(reply)
    return message.body


def give_up(c):
    c.queue.next("inbox", timeout_ms=0, completable=True).retry(delay_ms=0)
    raise PluginError("gave_up", "it had enough")


def tick(c):
    c.kv.put("ticks", (c.kv.get("ticks") or b"").decode() + "x")


def count(c, upto):
    for number in range(1, upto + 1):
        c.kv.put("counted", str(number))
        yield number


def count_and_fail(c, upto):
    yield from count(c, upto)
    raise PluginError("enough", "that was enough")


HELD = {}


def hold(c):
    HELD[c.actor_id] = c.keep_awake()
    HELD[c.actor_id].__enter__()


def let_go(c):
    HELD.pop(c.actor_id).__exit__(None, None, None)


def watch(c, name):
    """Waits until nobody waits for it."""
    c.actor("keeper", "log").call("put", name, "watches")
    try:
        c.queue.next("inbox")
    except PluginError as error:
        c.kv.put("aborted", f"{error.code} {str(c.abort.is_set()).lower()}")


def accept(params):
    """Its state: who it is, and how often it called."""
    name = (params or {}).get("name", "")
    if name == "nobody":
        raise PluginError("not_you", "you aren't let in")
    return {"name": name, "visits": 0}


def note_coming(c, what):
    c.kv.put("comings", (c.kv.get("comings") or b"").decode() + what + " ")


def connected(c, connection):
    name = connection.state["name"]
    if name == "bad":
        raise PluginError("bad", "it goes at once")
    if name:
        note_coming(c, f"+{name}")
        c.send([connection.number], "whispered", f"welcome {name}")


def disconnected(c, connection):
    name = connection.state["name"]
    if name:
        note_coming(c, f"-{name}")


def can_subscribe(params, event):
    if event == "secret" and (params or {}).get("name") != "ann":
        raise PluginError("not_for_you", "that isn't for you")


def visits(c):
    connection = c.connections.get(c.connection)
    if connection is None:
        return None
    connection.state["visits"] += 1
    return [connection.state["name"], connection.state["visits"]]


def started(c, _is_new):
    c.state["wakes"] = c.state.get("wakes", 0) + 1


ACTIONS = {
    "visits": visits,
    "here": lambda c: sorted(each.state["name"] for each in c.connections.values()),
    "tellSecret": lambda c, said: c.broadcast("secret", said),
    "sockets": lambda c: sorted(path(each) for each in c.sockets.values()),
    "hold": hold,
    "letGo": let_go,
    "wakes": lambda c: c.state["wakes"],
    "watch": watch,
    "take": take,
    "complete": complete,
    "giveUp": give_up,
    "sendInbox": lambda c, body: c.queue.send("inbox", body),
    "later": lambda c, delay_ms, key, value: c.schedule.after(delay_ms, "put", key, value),
    "laterUnknown": lambda c: c.schedule.after(1, "nothing"),
    "scheduled": lambda c: [call["action"] for call in c.schedule.list()],
    "cancel": lambda c, id: c.schedule.cancel(id),
    "tick": tick,
    "every": lambda c, name, interval_ms: c.cron.every(name, interval_ms, "tick"),
    "cron": lambda c, name, expression: c.cron.set(name, expression, "tick"),
    "jobs": lambda c: sorted(job["name"] for job in c.cron.list()),
    "stopJob": lambda c, name: c.cron.delete(name),
    "count": count,
    "countAndFail": count_and_fail,
    "put": lambda c, key, value: c.kv.put(key, value),
    "get": get,
    "save": save,
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
                events=["whispered", "secret"],
                actions=ACTIONS,
                database=True,
                start=started,
                accept=accept,
                connected=connected,
                disconnected=disconnected,
                can_subscribe=can_subscribe,
                queues={"jobs": do_job, "inbox": None, "trials": do_trial},
                deliveries={"trials": Delivery(max_attempts=2, retry_delay_ms=1)},
                sockets=Sockets(opened=lambda _c, socket: socket.send("welcome"), heard=heard, closed=gone),
                request=answer,
            )
        ],
    )
)
