"""Raw WebSockets of an actor: a protocol of its own. What happens to one runs on its actor's lane, in order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Union

from .plugin import PluginError
from .voice import Voice
from .wire import data, fields, number

if TYPE_CHECKING:
    from .actor import ActorContext

# Fields of ToActor, and of FromActor.
OPEN, MESSAGE, CLOSE = 11, 12, 13
SAY_ACCEPT, SAY_MESSAGE, SAY_CLOSE = 12, 13, 14
# How a socket ends whose function failed.
REFUSED, FAILED = 1008, 1011


class Socket:
    """One that was opened; it stays the same object until it is closed, so it can be a key."""

    def __init__(self, voice: Voice, name: int, url: str, protocol: str):
        self._voice = voice
        self._name = number(1, name)
        #: The address, as the actor sees it.
        self.url = url
        #: The subprotocol that was agreed on; empty for none.
        self.protocol = protocol

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
    """Those of one actor. `take` is called on the host's thread, `run` by the thread that runs the actor's functions."""

    def __init__(self, voice: Voice, hooks: Sockets):
        self._voice = voice
        self._hooks = hooks
        self._open: Dict[int, Socket] = {}

    def take(self, what: int, body: bytes) -> None:
        """Each is accepted at once."""
        if what == OPEN:
            self._voice.say(data(SAY_ACCEPT, number(1, dict(fields(body)).get(1, 0))))

    def run(self, context: "ActorContext", what: int, body: bytes) -> None:
        said: Dict[int, Any] = {1: 0, 2: None, 3: b"", 5: b""}
        said.update(fields(body))
        name, hooks = said[1], self._hooks
        if what == OPEN:
            self._open[name] = Socket(self._voice, name, (said[2] or b"").decode(), said[5].decode())
        socket = self._open.get(name)
        if socket is None:
            return
        if what == CLOSE:
            del self._open[name]
        try:
            if what == OPEN and hooks.opened is not None:
                hooks.opened(context, socket)
            elif what == MESSAGE and hooks.heard is not None:
                hooks.heard(context, socket, said[3] if said[2] is None else said[2].decode())
            elif what == CLOSE and hooks.closed is not None:
                hooks.closed(context, socket)
        except Exception as error:  # noqa: BLE001 - it is why the socket ends
            reason = f"{error.group}.{error.code}" if isinstance(error, PluginError) else "internal.error"
            if what != CLOSE:
                socket.close(REFUSED if what == OPEN else FAILED, reason)
