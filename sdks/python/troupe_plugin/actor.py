"""An actor as its author writes it, and what its functions are given."""

import logging
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence, Union

from .json_values import encode_json
from .voice import Voice


@dataclass(frozen=True)
class Actor:
    """One kind of actor. Its functions run one at a time for each running actor, on threads, and may block."""

    name: str
    #: By name: `action(c, *args)`. What it gives is the answer; what it raises is the call's error.
    actions: Mapping[str, Callable[..., Any]]
    #: A new actor's state, or a function that makes it.
    state: Union[Mapping[str, Any], Callable[[], Mapping[str, Any]]] = field(default_factory=dict)
    #: The events that it sends.
    events: Sequence[str] = ()
    #: Options of an actor: `{"sleepTimeout": 5000}`.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: `start(c, is_new)`, before anything else. When it raises the actor can't start, and nothing of a new one is stored.
    start: Optional[Callable[["ActorContext", bool], None]] = None
    #: `stop(c)`, when the actor sleeps or ends; it may still write.
    stop: Optional[Callable[["ActorContext"], None]] = None
    #: `accept(params)` is asked of each connection, beside the actor's own work; what it raises is why there is none.
    accept: Optional[Callable[[Any], None]] = None


class Kv:
    """Keys and values of the actor, both bytes (a text is its UTF-8). Read on demand, stored with what the function writes."""

    def __init__(self, voice: Voice):
        self._voice = voice

    def get(self, key: Union[str, bytes]) -> Optional[bytes]:
        """The value, or None."""
        return self._voice.kv_get(_bytes(key))

    def put(self, key: Union[str, bytes], value: Union[str, bytes]) -> None:
        self._voice.kv_set(_bytes(key), _bytes(value))

    def delete(self, key: Union[str, bytes]) -> None:
        self._voice.kv_set(_bytes(key), None)


class ActorContext:
    """What functions of an actor get. It is theirs until they return."""

    def __init__(self, voice: Voice, name: str, key: Sequence[str], actor_id: str):
        self._voice = voice
        #: The name that it is registered under.
        self.name = name
        self.key = tuple(key)
        self.actor_id = actor_id
        #: Values, as `values.py` has them. What a function leaves changed in it is stored, whatever the function raises.
        self.state: dict = {}
        #: The author's own, for as long as the actor is awake.
        self.vars: dict = {}
        self.kv = Kv(voice)
        self.log = logging.getLogger(f"troupe.{name}")

    def broadcast(self, event: str, *args: Any) -> None:
        """An event for everyone who listens, told when what was written before is on disk."""
        self._voice.event(event, encode_json(args))

    def sleep(self) -> None:
        """The actor sleeps when this function has returned."""
        self._voice.end(destroy=False)

    def destroy(self) -> None:
        """The actor ends when this function has returned, and all that is stored of it goes."""
        self._voice.end(destroy=True)


def _bytes(value: Union[str, bytes]) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
