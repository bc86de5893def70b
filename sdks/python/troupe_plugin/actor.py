"""An actor as its author writes it, and what its functions are given."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from .abort import Abort
from .calls import Calls
from .connections import Connection
from .database import Database
from .host import HostLink
from .json_values import encode_json
from .kept import Cron, Delivery, Message, Queue, Schedule
from .lent import CallContext
from .model_streams import ModelStream
from .other import Other
from .requests import Request, Response
from .sockets import Socket, Sockets
from .voice import Voice
from .wire import data, number


#: What the call that runs is a part of: its number and its abort, the connection and the scope, and for the calls that it makes
#: how deep it is, and the chain.
Part = Tuple[int, Optional[Abort], Optional[int], str, int, Sequence[bytes]]
NO_CALL: Part = (0, None, None, "", 0, ())

# Field of Ask.
BARRIER = 2


@dataclass(frozen=True)
class Actor:
    """One kind of actor. Its functions run one at a time for each running actor, on threads, and may block."""

    name: str
    #: By name: `action(c, *args)`. What it gives is the answer; what it raises is the call's error. A generator's items are
    #: given one after the other, as the caller has room for them.
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
    #: `accept(params)` is asked of each connection, beside the actor's own work; what it raises is why there is none, and what it gives
    #: is the connection's state.
    accept: Optional[Callable[[Any], Any]] = None
    #: `connected(c, connection)`, before anything that the client asks for; what it raises ends the connection.
    connected: Optional[Callable[["ActorContext", Connection], None]] = None
    #: `disconnected(c, connection)`: the client is gone, or ends with the actor.
    disconnected: Optional[Callable[["ActorContext", Connection], None]] = None
    #: `can_subscribe(params, event)` is asked before a client listens to one of `events`, as `accept` is; what it raises is why not.
    can_subscribe: Optional[Callable[[Any, str], None]] = None
    #: It has a database of its own: `c.db`.
    database: bool = False
    #: It takes raw WebSockets. Their clients stay while the actor sleeps, unless `options` say `{"canHibernateWebSocket": False}`.
    sockets: Optional[Sockets] = None
    #: `request(c, request)` answers HTTP requests; what it raises is the answer.
    request: Optional[Callable[["ActorContext", Request], Response]] = None
    #: By name: `handle(c, message)` gets each message of that queue, one after the other; what it gives is the sender's reply.
    #: When it raises the message comes again, later each time, and is a dead letter after a few. None: a queue whose messages
    #: functions take with `c.queue.next`.
    queues: Mapping[str, Optional[Callable[["ActorContext", Message], Any]]] = field(default_factory=dict)
    #: How messages of those queues are delivered again, by the queue's name.
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)


class Kv:
    """Keys and values of the actor, both bytes (a text is its UTF-8). Read on demand, stored with what the function writes."""

    def __init__(self, context: "ActorContext"):
        self._voice = context.voice
        self._leave = context.leave

    def get(self, key: Union[str, bytes]) -> Optional[bytes]:
        """The value, or None."""
        return self._voice.kv_get(_bytes(key))

    def put(self, key: Union[str, bytes], value: Union[str, bytes]) -> None:
        self._voice.kv_set(_bytes(key), _bytes(value))

    def delete(self, key: Union[str, bytes]) -> None:
        self._voice.kv_set(_bytes(key), None)

    def list(
        self, start: Union[str, bytes] = b"", end: Union[str, bytes] = b"", limit: int = 1000, reverse: bool = False
    ) -> List[Tuple[bytes, bytes]]:
        """Keys from `start` (with it) to `end` (without it; nothing: to the last), in byte order, and their values."""
        self._leave()
        asked = data(1, _bytes(start)) + data(2, _bytes(end)) + number(3, limit) + number(4, 1 if reverse else 0)
        return self._voice.kv_list(asked)


class ActorContext:
    """What functions of an actor get. It is theirs until they return."""

    def __init__(self, voice: Voice, link: HostLink, name: str, key: Sequence[str], actor_id: str):
        self.voice = voice
        #: The name that it is registered under.
        self.name = name
        self.key = tuple(key)
        self.actor_id = actor_id
        #: Values, as `values.py` has them. What a function leaves changed in it is stored, whatever the function raises.
        self.state: dict = {}
        #: The author's own, for as long as the actor is awake.
        self.vars: dict = {}
        self.kv = Kv(self)
        #: Of an actor with a database.
        self.db = Database(voice)
        #: Its own queues.
        self.queue = Queue(self)
        #: Calls of its own actions, later; and again and again.
        self.schedule = Schedule(self)
        self.cron = Cron(self)
        #: Clients that are connected, by number: of an actor that has a function for connections.
        self.connections: Mapping[int, Connection] = {}
        #: Raw WebSockets that are open, by number: of an actor that takes them.
        self.sockets: Mapping[int, Socket] = {}
        #: Set when the actor is told to stop.
        self.stopping = Abort()
        self.part = NO_CALL
        #: Of tools and models, that are open.
        self.calls = Calls(self, link)
        self.log = logging.getLogger(f"troupe.{name}")

    @property
    def call(self) -> int:
        """The number of the call that runs; 0 for a function that answers none."""
        return self.part[0]

    @property
    def abort(self) -> Abort:
        """Set when nobody waits for the call any more, or the actor is told to stop: a function that takes long looks at it."""
        return self.part[1] or self.stopping

    @property
    def connection(self) -> Optional[int]:
        """The connection of the call that runs; None for a call without one."""
        return self.part[2]

    @property
    def scope(self) -> str:
        """The scope of the host's relay that the call runs in: its propagation value, JSON text; empty for none."""
        return self.part[3]

    def broadcast(self, event: str, *args: Any) -> None:
        """An event for everyone who listens, told when what was written before is on disk."""
        self.voice.event(event, encode_json(args))

    def send(self, connections: Sequence[int], event: str, *args: Any) -> None:
        """The same to these connections alone, whether they listen or not."""
        if connections:
            self.voice.event(event, encode_json(args), connections)

    def disconnect(self, connection: int, reason: str = "") -> None:
        """Ends a connection."""
        self.voice.kick(connection, reason)

    @contextmanager
    def keep_awake(self) -> Iterator[None]:
        """The actor doesn't sleep while the block runs, on whatever thread."""
        self.voice.hold(True)
        try:
            yield
        finally:
            self.voice.hold(False)

    def actor(self, name: str, *key: str, existing: bool = False, timeout_ms: Optional[int] = None) -> Other:
        """Another actor, which is made when it isn't there, unless only an existing one will do."""
        return Other(self, name, key, existing, timeout_ms)

    def tool(self, name: str, args: Any, fn: Callable[[Any, CallContext], Any], **options: Any) -> Any:
        """Runs a tool under the host's middleware: what `fn(args, context)` gives, which runs on this thread, with the arguments that
        middleware has left, as often as it says. Raises what `fn` raises, and a PluginError where middleware refuses: the group "relay".

        Options: `parent` (default: `scope`), `abort`, an Abort that gives the call up, `tool_call_id`, `metadata`, `attributes`. For a
        plugin with the capability "calls"; in actions and messages.
        """
        return self.calls.tool(name, args, fn, **options)

    def llm(
        self, name: str, request: Mapping[str, Any], fn: Callable[[Any, CallContext], Any], **options: Any
    ) -> Any:
        """Calls a model whose response comes in one piece, as `tool`. A request is `{"headers", "content"}`.

        Options: `parent`, `abort`, `model_name`, `request_in_events` ("whole", "headers"), `metadata`, `attributes`.
        """
        return self.calls.llm(name, request, fn, **options)

    def llm_stream(
        self, name: str, request: Mapping[str, Any], fn: Callable[[Any, CallContext], Any], **options: Any
    ) -> ModelStream:
        """Calls a model whose response comes in chunks, as `llm`: `fn` is a generator, or gives an iterable. An actor has at most 128 open."""
        return self.calls.llm_stream(name, request, fn, **options)

    def leave(self) -> None:
        """What was changed and said so far leaves now, and not when the function returns. Questions do so by themselves."""
        self.voice.flush(self.state)

    def save(self) -> None:
        """What was changed is on disk when this returns. A function needs it before I/O that its host can't see: answers, events
        and calls of other actors wait for the disk without it."""
        self.leave()
        self.voice.ask(data(BARRIER, b""))

    def sleep(self) -> None:
        """The actor sleeps when this function has returned."""
        self.voice.end(destroy=False)

    def destroy(self) -> None:
        """The actor ends when this function has returned, and all that is stored of it goes."""
        self.voice.end(destroy=True)


def _bytes(value: Union[str, bytes]) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
