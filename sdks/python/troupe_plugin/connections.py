"""Clients of an actor, as far as its author wants to know of them.

Who wants to be connected is answered on the connection lane, which is the thread that hears the host: behind no work. What the
author's functions do about it runs on the actor's lane, in order.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional

from .json_values import decode_json, encode_json
from .plugin import error_of, reason_of, told_of
from .voice import Voice
from .wire import data, fields, number

if TYPE_CHECKING:
    from .actor import Actor, ActorContext

# Fields of ToActor.
CONNECT, DISCONNECT, SUBSCRIBE = 6, 7, 8
# Field of FromActor.
SUBSCRIBED = 16
NOTHING = encode_json(None)


@dataclass(eq=False)
class Connection:
    """A client that is connected; the same object until it is gone, so it can be a key."""

    #: As `c.connection` and `c.send` have it; another one each time that the actor wakes.
    number: int
    #: Its name, which it keeps.
    id: str
    params: Any
    #: The author's own: what `accept` gave, and what functions set. It stays with a client that stays while the actor sleeps.
    state: Any = None


def wants_connections(actor: "Actor") -> bool:
    """The host asks and tells about connections; else it accepts them by itself."""
    hooks = (actor.accept, actor.connected, actor.disconnected, actor.can_subscribe)
    return any(hook is not None for hook in hooks)


class OpenConnections:
    """Those of one actor. `heard` is called by the thread that hears the host; all else by the actor's lane."""

    def __init__(self, voice: Voice, actor: "Actor", add: Callable[[Callable[["ActorContext"], None]], None]):
        self._voice = voice
        self._actor = actor
        self._add = add
        #: What the connection lane knows.
        self._params: Dict[int, Any] = {}
        #: What the functions of the actor know.
        self.open: Dict[int, Connection] = {}
        #: Those that stay while the actor sleeps.
        self._stay: set = set()

    def heard(self, what: int, body: bytes) -> None:
        said: Dict[int, Any] = {1: 0, 2: b"", 3: 0}
        said.update(fields(body))
        if what == CONNECT:
            self._connect(said[1], said[2].decode(), body)
        elif what == DISCONNECT:
            self._params.pop(said[1], None)
            self._add(lambda c: self._leave(c, said[1]))
        elif what == SUBSCRIBE and said[3]:
            self._subscribe(said[1], said[2].decode(), said[3])

    def stayed(self, sleeper: bytes) -> None:
        """A client that an earlier activation has left with the host. It enters without its functions."""
        said: Dict[int, Any] = {1: 0, 3: b"", 4: b"", 5: b""}
        said.update(fields(sleeper))
        if not said[1]:
            return
        params, state = (decode_json(each) if each else None for each in (said[4], said[5]))
        self._params[said[1]] = params
        self._keep(Connection(said[1], said[3].decode(), params, state), True, said[5] or NOTHING)

    def end(self, context: "ActorContext", sleeps: bool) -> None:
        """The actor has stopped: those that don't stay end with it."""
        for name in list(self.open):
            if not (sleeps and name in self._stay):
                self._leave(context, name)

    def states(self) -> Dict[str, bytes]:
        """Of those that stay, by id, encoded."""
        return {self.open[name].id: encode_json(self.open[name].state) for name in self._stay & self.open.keys()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Their states are as they are stored."""
        for connection in self.open.values():
            if connection.id in stored:
                connection.state = decode_json(stored[connection.id])

    def _connect(self, name: int, id: str, body: bytes) -> None:
        try:
            said: Dict[int, Any] = {3: b"", 4: 0}
            said.update(fields(body))
            params = decode_json(said[3]) if said[3] else None
            state = None if self._actor.accept is None else self._actor.accept(params)
            # What can't be stored is said now.
            encode_json(state)
        except BaseException as error:  # noqa: BLE001 - it is why there is no connection
            return self._voice.connected(name, error)
        self._params[name] = params
        self._voice.connected(name)
        self._add(lambda c: self._enter(c, Connection(name, id, params, state), bool(said[4])))

    def _keep(self, connection: Connection, stays: bool, state: bytes) -> None:
        self.open[connection.number] = connection
        if stays:
            self._stay.add(connection.number)
            self._voice.client_loaded(connection.id, state)

    def _enter(self, context: "ActorContext", connection: Connection, stays: bool) -> None:
        self._keep(connection, stays, NOTHING)
        if self._actor.connected is None:
            return
        try:
            self._actor.connected(context, connection)
        except BaseException as error:  # noqa: BLE001 - it is why the connection ends
            context.disconnect(connection.number, reason_of(error))

    def _leave(self, context: "ActorContext", name: int) -> None:
        connection = self.open.pop(name, None)
        if connection is None:
            return
        self._stay.discard(name)
        self._voice.client_gone(connection.id)
        if self._actor.disconnected is None:
            return
        try:
            self._actor.disconnected(context, connection)
        except BaseException as error:  # noqa: BLE001 - nobody is left to be told
            context.log.error("disconnected: %s", told_of(error))

    def _subscribe(self, name: int, event: str, subscription: int) -> None:
        refusal: Optional[bytes] = None
        try:
            if self._actor.can_subscribe is not None:
                self._actor.can_subscribe(self._params.get(name), event)
        except BaseException as error:  # noqa: BLE001 - it is why the client may not listen
            refusal = data(2, error_of(error))
        self._voice.say(data(SUBSCRIBED, number(1, subscription) + (refusal or b"")))
