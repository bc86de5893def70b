"""Raw WebSockets of an actor: a protocol of its own. What happens to one runs on its actor's lane, in order.

Their clients stay while the actor sleeps: the host says a message again, to the next activation, unless it was acknowledged.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Union

from .json_values import decode_json, encode_json
from .plugin import reason_of
from .voice import Voice
from .wire import data, fields, number

if TYPE_CHECKING:
    from .actor import ActorContext

# Fields of ToActor, and of FromActor.
OPEN, MESSAGE, CLOSE = 11, 12, 13
SAY_ACCEPT, SAY_MESSAGE, SAY_CLOSE, SAY_ACKNOWLEDGE = 12, 13, 14, 28
# How a socket ends whose function failed.
REFUSED, FAILED = 1008, 1011
NOTHING = encode_json(None)


class Socket:
    """One that is open; the same object until it is closed or the actor sleeps, so it can be a key."""

    def __init__(self, voice: Voice, number_: int, url: str, protocol: str, id: str, params: Any = None, state: Any = None):
        self._voice = voice
        self._name = number(1, number_)
        #: Among `c.sockets`; another one each time that the actor wakes.
        self.number = number_
        #: The address, as the actor sees it.
        self.url = url
        #: The subprotocol that was agreed on; empty for none.
        self.protocol = protocol
        #: Its name, which it keeps.
        self.id = id
        #: Connection parameters.
        self.params = params
        #: The author's own: what functions set. It stays with a client that stays while the actor sleeps.
        self.state = state
        #: Which message of its client is heard, or was last since the actor woke, counted over all activations: one that wasn't
        #: finished comes again with the same. 0: it doesn't stay, or none.
        self.index = 0

    def send(self, message: Union[str, bytes]) -> None:
        """A message to its client, behind all that was written and said before."""
        content = data(2, message) if isinstance(message, str) else data(3, bytes(message))
        self._voice.say_later(data(SAY_MESSAGE, self._name + content))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Ends it."""
        self._voice.say_later(data(SAY_CLOSE, self._name + number(2, code) + data(3, reason)))


@dataclass(frozen=True)
class Sockets:
    """An author's functions. What they raise ends the socket."""

    #: `opened(c, socket)`
    opened: Optional[Callable[["ActorContext", Socket], None]] = None
    #: `heard(c, socket, message)`: a text or bytes.
    heard: Optional[Callable[["ActorContext", Socket, Union[str, bytes]], None]] = None
    #: `closed(c, socket)`: the client is gone.
    closed: Optional[Callable[["ActorContext", Socket], None]] = None


class OpenSockets:
    """Those of one actor. `take` and `stayed` are called on the host's thread, the rest by the thread that runs the actor's functions."""

    def __init__(self, voice: Voice, hooks: Sockets):
        self._voice = voice
        self._hooks = hooks
        #: What the functions of the actor know.
        self.open: Dict[int, Socket] = {}
        #: Those that stay while the actor sleeps.
        self._stay: set = set()

    def take(self, what: int, body: bytes) -> None:
        """Each is accepted at once."""
        if what == OPEN:
            said = dict(fields(body))
            self._voice.say(data(SAY_ACCEPT, number(1, said.get(1, 0)) + number(3, said.get(7, 0))))

    def stayed(self, sleeper: bytes) -> None:
        """A client that an earlier activation has left with the host. It is there again without its function."""
        said: Dict[int, Any] = {2: 0, 3: b"", 4: b"", 5: b"", 6: b"", 8: b""}
        said.update(fields(sleeper))
        if not said[2]:
            return
        url, protocol, id = (said[field].decode() for field in (6, 8, 3))
        params, state = (decode_json(each) if each else None for each in (said[4], said[5]))
        self.open[said[2]] = Socket(self._voice, said[2], url, protocol, id, params, state)
        self._keep(said[2], id, said[5] or NOTHING)

    def states(self) -> Dict[str, bytes]:
        """Of those that stay, by id, encoded."""
        return {self.open[name].id: encode_json(self.open[name].state) for name in self._stay & self.open.keys()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Their states are as they are stored."""
        for socket in self.open.values():
            if socket.id in stored:
                socket.state = decode_json(stored[socket.id])

    def run(self, context: "ActorContext", what: int, body: bytes) -> None:
        said: Dict[int, Any] = {1: 0, 2: None, 3: b"", 4: 0}
        said.update(fields(body))
        if what == OPEN:
            self._opened(body)
        socket = self.open.get(said[1])
        if socket is None:
            return
        try:
            self._tell(context, socket, what, said)
        except BaseException as error:  # noqa: BLE001 - it is why the socket ends
            if what != CLOSE:
                socket.close(REFUSED if what == OPEN else FAILED, reason_of(error))
        if what == CLOSE:
            del self.open[said[1]]
            self._stay.discard(said[1])
            self._voice.client_gone(socket.id)

    def _opened(self, body: bytes) -> None:
        said: Dict[int, Any] = {1: 0, 2: b"", 4: b"", 5: b"", 6: b"", 7: 0}
        said.update(fields(body))
        url, protocol, id = (said[field].decode() for field in (2, 5, 6))
        params = decode_json(said[4]) if said[4] else None
        self.open[said[1]] = Socket(self._voice, said[1], url, protocol, id, params)
        if said[7]:
            self._keep(said[1], id, NOTHING)

    def _keep(self, name: int, id: str, state: bytes) -> None:
        self._stay.add(name)
        self._voice.client_loaded(id, state)

    def _tell(self, context: "ActorContext", socket: Socket, what: int, said: Dict[int, Any]) -> None:
        hooks = self._hooks
        if what == OPEN and hooks.opened is not None:
            hooks.opened(context, socket)
        elif what == CLOSE and hooks.closed is not None:
            hooks.closed(context, socket)
        elif what == MESSAGE:
            socket.index = said[4]
            if hooks.heard is not None:
                hooks.heard(context, socket, said[3] if said[2] is None else said[2].decode())
            if socket.index:
                # Behind what it wrote: the host doesn't say it again.
                self._voice.say_later(data(SAY_ACKNOWLEDGE, number(1, socket.number) + number(2, socket.index)))
