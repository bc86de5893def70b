"""All running actors of a plugin: each has a lane of work, whose functions run one at a time and in order."""

import json
import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from typing import Any, Callable, Dict, Mapping, Optional

from .abort import Abort
from .actor import NO_CALL, Actor, ActorContext
from .connections import OpenConnections, wants_connections
from .flows import Flows
from .host import HostLink
from .json_values import decode_json, encode_json
from .kept import Message
from .plugin import PluginError, told_of
from .requests import Request, Requests
from .sockets import OpenSockets
from .voice import SLEEP, STATE, Voice
from .wire import data, fields, number

# Fields of ToActor.
START, STOP, CALL, CANCEL, ANSWER, START_ROWS = 2, 3, 4, 5, 10, 14
CONNECTIONS, SOCKETS, REQUESTS, STREAM_CREDIT = range(6, 10), range(11, 14), range(20, 25), 25
BROKEN = 4


def declaration(actor: Actor) -> bytes:
    """An ActorDeclaration."""
    said = data(1, actor.name)
    for action in actor.actions:
        said += data(2, action)
    for event in actor.events:
        said += data(3, event)
    if actor.options:
        said += data(4, json.dumps(actor.options))
    said += number(5, 1 if wants_connections(actor) else 0) + number(6, 1 if actor.sockets is not None else 0)
    said += number(7, 1 if actor.database else 0) + number(8, 1)
    for queue in actor.queues:
        said += data(9, queue)
    if actor.can_subscribe is not None:
        for event in actor.events:
            said += data(10, event)
    said += number(13, 1) + number(15, 1)
    for queue, handle in actor.queues.items():
        if handle is not None:
            said += data(16, queue)
    for queue, delivery in actor.deliveries.items():
        said += data(17, data(1, queue) + delivery.encoded())
    return said + number(20, 1 if actor.request is not None else 0)


class Actors:
    """Runs actors. `heard` is called by one thread, which it never holds up."""

    def __init__(self, actors: Mapping[str, Actor], send: Callable[[bytes], None], threads: Executor, link: HostLink):
        self._actors = actors
        self._send = send
        self._threads = threads
        self._link = link
        self._running: Dict[int, "Running"] = {}

    def heard(self, word: bytes) -> None:
        instance, what, body = 0, 0, b""
        for name, value in fields(word):
            if name == 1:
                instance = value
            else:
                what, body = name, value
        if what == START:
            voice = Voice(instance, self._send)
            ended = partial(self._running.pop, instance, None)
            self._running[instance] = Running(self._actors, voice, Lane(self._threads), self._link, ended)
        running = self._running.get(instance)
        if running is None:
            return
        running.heard(what, body)


class Lane:
    """Work of one actor, one piece after the other."""

    def __init__(self, threads: Executor):
        self._threads = threads
        self._waiting: deque = deque()
        self._busy = False
        self._lock = threading.Lock()

    def add(self, work: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.append(work)
            if self._busy:
                return
            self._busy = True
        self._threads.submit(self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                work = self._waiting.popleft()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - what waits behind it isn't to wait for ever
                print(told_of(error), file=sys.stderr)


class Running:
    """One running actor."""

    def __init__(
        self, actors: Mapping[str, Actor], voice: Voice, lane: Lane, link: HostLink, ended: Callable[[], Any]
    ):
        self._actors = actors
        self._voice = voice
        self._lane = lane
        self._link = link
        self._ended = ended
        self._stopping = False
        self._sockets: Optional[OpenSockets] = None
        self._connections: Optional[OpenConnections] = None
        #: Those that have no answer, by number: set when nobody waits for it, or the actor stops.
        self._calls: Dict[int, Abort] = {}
        #: Of those that haven't begun.
        self._cancelled: set = set()
        self._flows = Flows(voice, lane.add)
        self._requests = Requests(voice, lambda name, request: lane.add(lambda: self._request(name, request)))
        self._actor: Optional[Actor] = None
        self._context: Optional[ActorContext] = None
        self._is_new = False
        self._failed = False

    def heard(self, what: int, body: bytes) -> None:
        if what == START:
            self._load(body)
        elif what == START_ROWS:
            self._load_more(body)
        elif what == CALL:
            self._calls[dict(fields(body)).get(1, 0)] = Abort()
            self._lane.add(lambda: self._call(body))
        elif what == CANCEL:
            self._cancel(dict(fields(body)).get(1, 0))
        elif what == STREAM_CREDIT:
            said = dict(fields(body))
            self._flows.credit(said.get(1, 0), said.get(2, 0))
        elif what in CONNECTIONS and self._connections is not None:
            self._connections.heard(what, body)
        elif what == ANSWER:
            self._voice.answered(body)
        elif what == STOP:
            reason = dict(fields(body)).get(1, 0)
            if reason == BROKEN:
                self._voice.lost()
            # Said once more, it says that nobody waits any longer.
            if not self._stopping:
                self._lane.add(lambda: self._stop(reason))
            self._stopping = True
            for abort in [self._context.stopping, *self._calls.values()]:
                abort.set()
        elif what in SOCKETS and self._sockets is not None:
            self._sockets.take(what, body)
            self._lane.add(lambda: self._hook(lambda: self._sockets.run(self._context, what, body)))
        elif what in REQUESTS:
            self._requests.heard(what, body)

    def _load(self, start: bytes) -> None:
        name, key, actor_id, rows, declared = "", [], "", [], ""
        more = False
        for field, value in fields(start):
            if field == 1:
                name = value.decode()
            elif field == 2:
                key.append(value.decode())
            elif field == 3:
                actor_id = value.decode()
            elif field == 6:
                self._is_new = bool(value)
            elif field == 8:
                rows.append(value)
            elif field == 9:
                declared = value.decode()
            elif field == 10:
                more = bool(value)
        self._actor = self._actors[declared]
        self._context = ActorContext(self._voice, self._link, name, key, actor_id)
        if self._actor.sockets is not None:
            self._sockets = OpenSockets(self._voice, self._actor.sockets)
            self._context.sockets = self._sockets.open
            self._voice.clients.append(self._sockets)
        if wants_connections(self._actor):
            self._connections = OpenConnections(self._voice, self._actor, self._add)
            self._context.connections = self._connections.open
            self._voice.clients.append(self._connections)
        self._keep(rows)
        if not more:
            self._lane.add(self._start)

    def _load_more(self, rows: bytes) -> None:
        said = list(fields(rows))
        self._keep(value for field, value in said if field == 1)
        for field, value in said:
            if field == 3 and self._connections is not None:
                self._connections.stayed(value)
            if field == 3 and self._sockets is not None:
                self._sockets.stayed(value)
        if any(field == 2 and value for field, value in said):
            self._lane.add(self._start)

    def _keep(self, rows) -> None:
        for row in rows:
            found: Dict[int, Any] = {1: 0, 2: b"", 4: b""}
            found.update(fields(row))
            if found[1] == STATE:
                key = found[2].decode()
                self._voice.loaded(key, found[4])
                self._context.state[key] = decode_json(found[4])

    def _start(self) -> None:
        context, actor = self._context, self._actor
        try:
            if self._is_new:
                context.state.update(_fresh(actor))
            if actor.start is not None:
                actor.start(context, self._is_new)
            self._voice.started()
            self._voice.flush(context.state)
        except BaseException as error:  # noqa: BLE001 - it is why the actor can't start
            self._failed = True
            self._voice.forget()
            self._voice.started(error)
            self._voice.flush(self._voice.restored())

    def _cancel(self, call: int) -> None:
        abort = self._calls.get(call)
        if abort is not None:
            self._cancelled.add(call)
            abort.set()
        if self._flows.cancel(call):
            # Nothing more is said of it.
            self._forget(call)
            self._add(lambda context: context.calls.end(call))

    def _call(self, body: bytes) -> None:
        call: Dict[int, Any] = {1: 0, 2: b"", 3: b"[]", 4: 0, 11: 0, 12: b"", 13: 0, 14: 0}
        call.update(fields(body))
        number, context = call[1], self._context
        chain = [value for name, value in fields(body) if name == 10]
        part = (number, self._calls[number], call[4] or None, call[12].decode(), call[11], chain)
        context.part = part
        try:
            if number in self._cancelled:
                raise PluginError("aborted", "Nobody waited for the call when its turn came", "actor")
            value = self._run(call[2].decode(), decode_json(call[3] or b"[]"), call[13], call[14])
            if isinstance(value, Iterator):
                return self._begin(number, value, part)
            self._voice.reply(number, encode_json(value))
        except BaseException as error:  # noqa: BLE001 - it is the answer
            self._voice.reply(number, b"", error)
        self._end(number)

    def _run(self, name: str, args: list, message: int, attempt: int) -> Any:
        if message:
            handle = self._actor.queues.get(name)
            if handle is None:
                raise PluginError("not_found", f"There is nothing for messages of {name!r}", "queue")
            return handle(self._context, Message(message, name, args[0], attempts=attempt))
        action = self._actor.actions.get(name)
        if action is None:
            raise PluginError("action_not_found", f"There is no action {name!r}", "actor")
        return action(self._context, *args)

    def _begin(self, call: int, items: Iterator, part: tuple) -> None:
        """A result that comes in items."""
        self._flows.begin(call, items, lambda item: self._step(call, part, item))
        self._said(call)

    def _step(self, call: int, part: tuple, item: Callable[[], bool]) -> None:
        """Makes one item of a result."""
        self._context.part = part
        try:
            if item():
                return self._said(call)
            self._voice.reply(call, b"")
        except BaseException as error:  # noqa: BLE001 - it is how the result ends
            self._voice.reply(call, b"", error)
        self._end(call)

    def _said(self, call: int) -> None:
        """What a result did so far leaves; the rest of it comes later."""
        self._context.part = NO_CALL
        if not self._flush(call, joined=0):
            self._flows.cancel(call)
            self._forget(call)
            self._add(lambda context: context.calls.end(call))

    def _end(self, call: int) -> None:
        # What they do when they are told is stored with it.
        self._context.calls.end(call)
        self._flush(call, joined=call)
        self._forget(call)
        self._context.part = NO_CALL

    def _forget(self, call: int) -> None:
        self._calls.pop(call, None)
        self._cancelled.discard(call)

    def _flush(self, call: int, joined: int) -> bool:
        """False: it couldn't be stored, and the call has that as its error."""
        try:
            self._voice.flush(self._context.state, joined)
            return True
        except BaseException as error:  # noqa: BLE001 - a state that JSON can't hold is this call's error
            self._voice.forget()
            self._voice.reply(call, b"", error)
            self._context.state = self._voice.restored()
            self._voice.flush(self._context.state)
            return False

    def _hook(self, run: Callable[[], None]) -> None:
        """A function that answers no call."""
        if self._failed:
            return
        context = self._context
        run()
        try:
            self._voice.flush(context.state)
        except BaseException as error:  # noqa: BLE001 - a state that JSON can't hold: nothing of it is stored
            context.log.error("%s", told_of(error))
            self._voice.forget()
            context.state = self._voice.restored()

    def _request(self, name: int, request: Request) -> None:
        def run() -> None:
            try:
                if self._actor.request is None:
                    raise PluginError("no_handler", "The actor takes no requests", "actor")
                self._requests.answer(name, self._actor.request(self._context, request))
            except BaseException as error:  # noqa: BLE001 - it is the answer
                self._requests.refuse(name, error)

        self._hook(run)

    def _add(self, hook: Callable[[ActorContext], None]) -> None:
        """A function that answers no call, on the actor's lane."""
        self._lane.add(lambda: self._hook(lambda: hook(self._context)))

    def _stop(self, reason: int) -> None:
        try:
            if self._actor.stop is not None and not self._failed:
                self._actor.stop(self._context)
            if reason != BROKEN:
                if self._connections is not None and not self._failed:
                    self._connections.end(self._context, sleeps=reason == SLEEP)
                self._voice.flush(self._context.state)
        finally:
            self._flows.end_all()
            self._context.calls.end_all()
            self._voice.forget()
            self._requests.end_all()
            self._voice.stopped()
            self._voice.flush(self._voice.restored())
            self._ended()


def _fresh(actor: Actor) -> dict:
    made = actor.state() if callable(actor.state) else actor.state
    return decode_json(encode_json(made))
