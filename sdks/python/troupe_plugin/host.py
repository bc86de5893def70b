"""What a plugin asks of its host: of the relay, in whose scope a call of its middleware runs.

Each needs a capability of the plugin's manifest; without it, it is refused: a PluginError with the code "not_allowed".
"""

import queue
import threading
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .abort import Abort
from .json_values import decode_json, encode_json
from .lent import CallContext, Invocation
from .plugin import PluginError, error_from, error_of, reason_of, text_of
from .values import Failure
from .wire import data, fields, number

# Fields of PluginFrame.
RESULT, LOG, HOST_CALL = 4, 6, 11
LEVELS = {"debug": 1, "info": 2, "warn": 3, "error": 4}
# HostAsk.
MARK, METRIC, PUSH, POP, FORK, DROP, DECODE, ENCODE, LIST, DIAGNOSTICS, SET_GATE = range(1, 12)

@dataclass(frozen=True)
class HostScope:
    """A scope of the host's relay that the plugin made."""

    #: Names it to the host.
    id: str
    #: Its propagation value, JSON text; None: a root, where nothing belongs to anything.
    propagation: Optional[str]


class HostLink:
    """The questions of one session. `heard`, `invoked` and `cancelled` are called by one thread, everything else by any."""

    def __init__(self, send: Callable[[bytes], None]):
        self._send = send
        #: Where the answer of each question goes, and whether calls of its code do.
        self._waiting: Dict[int, Tuple["queue.SimpleQueue[Any]", bool]] = {}
        #: Calls of code that have no answer.
        self._running: Dict[int, Abort] = {}
        self._lock = threading.Lock()
        self._last = 0

    def ask(self, invoke: int, ask: int, asked: Mapping[str, Any]) -> Any:
        """Waits for the answer. Raises what it was refused with. A host that is gone ends this process."""
        answer: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
        self.open(invoke, ask, {key: value for key, value in asked.items() if value is not None}, answer)
        _, got = answer.get()
        if got[3] is not None:
            raise error_from(got[3])
        return decode_json(got[2])

    def open(
        self, invoke: int, ask: int, asked: Mapping[str, Any], words: "queue.SimpleQueue[Any]", lends: bool = False
    ) -> int:
        """Asks: the question's number. `words` gets that number and the fields of the answer, once; and, where the question `lends` code,
        an Invocation for each call of it before that."""
        payload = encode_json(asked)
        with self._lock:
            self._last += 1
            call = self._last
            self._waiting[call] = (words, lends)
        self._send(data(HOST_CALL, number(1, call) + number(2, invoke) + number(3, ask) + data(4, payload)))
        return call

    def tell(self, ask: int, asked: Mapping[str, Any]) -> None:
        """A question that has no answer."""
        self._send(data(HOST_CALL, number(3, ask) + data(4, encode_json(asked))))

    def heard(self, body: bytes) -> None:
        """HostResult: whoever waits for it gets it."""
        said: Dict[int, Any] = {1: 0, 2: b"null", 3: None}
        said.update(fields(body))
        with self._lock:
            words, _ = self._waiting.pop(said[1], (None, False))
        if words is not None:
            words.put((said[1], said))

    def invoked(self, invoke: int, question: str, payload: bytes, scope: str) -> None:
        """The host calls the code of a question: whoever waits for the question's answer runs it."""
        abort = Abort()
        with self._lock:
            words, lends = self._waiting.get(int(question), (None, False))
            if lends:
                self._running[invoke] = abort
        if words is not None and lends:
            words.put(Invocation(invoke, payload, CallContext(abort, scope)))
        else:
            unknown = PluginError("undeclared", f"There is no code for question {question}", "plugin")
            self.answer(invoke, b"", error_of(unknown))

    def cancelled(self, invoke: int) -> None:
        """Nobody waits for that call of code."""
        with self._lock:
            abort = self._running.pop(invoke, None)
        if abort is not None:
            abort.set()

    def answer(self, invoke: int, value: bytes, error: Optional[bytes] = None) -> None:
        """What a call of code gave."""
        with self._lock:
            self._running.pop(invoke, None)
        self._send(data(RESULT, number(1, invoke) + (data(2, value) if error is None else data(3, error))))

    def log(self, level: str, message: str) -> None:
        self._send(data(LOG, data(1, number(1, LEVELS[level]) + data(2, message))))


class Host:
    """The host, in one call of a middleware, whose scope is the default; or in the plugin as a whole. All of it waits."""

    def __init__(self, link: HostLink, invoke: int):
        self._link = link
        self._invoke = invoke

    def mark(self, name: str, data: Any = None, scope: Optional[HostScope] = None, **options: Any) -> None:
        """Something happened. Options: dataSchema, metadata, severity, category, categoryProfile."""
        self._ask(MARK, {"name": name, "data": data, **options}, scope)

    def metric(
        self,
        name: str,
        measurements: Sequence[Mapping[str, Any]],
        metadata: Optional[Mapping[str, Any]] = None,
        scope: Optional[HostScope] = None,
    ) -> None:
        """Measurements, all of them or none: `{"name", "kind", "valueType", "value"}` each."""
        self._ask(METRIC, {"name": name, "measurements": list(measurements), "metadata": metadata}, scope)

    def push_scope(
        self, name: str, scope_type: str, input: Any = None, scope: Optional[HostScope] = None, **options: Any
    ) -> HostScope:
        """Begins a scope, below `scope`. One that isn't popped ends with the call it was pushed in, and its end says so."""
        asked = {"name": name, "scopeType": scope_type, "input": input, **options}
        return _scope(self._ask(PUSH, asked, scope))

    def pop_scope(
        self,
        scope: HostScope,
        output: Any = None,
        metadata: Optional[Mapping[str, Any]] = None,
        error: Optional[BaseException] = None,
    ) -> None:
        """Ends a scope, in any order."""
        failed = None if error is None else _failure(error)
        self._ask(POP, {"output": output, "metadata": metadata, "error": failed}, scope)

    def fork_scope(self, of: Optional[HostScope] = None) -> HostScope:
        """A stand-in for a scope, or a root of its own: a parent for work that goes on beside. No event is about it."""
        return _scope(self._ask(FORK, {}, of))

    def drop_scope(self, fork: HostScope) -> None:
        """Ends a fork."""
        self._ask(DROP, {}, fork)

    def decode_request(self, request: Mapping[str, Any], codec: Optional[str] = None) -> dict:
        """What a request says, in every provider's words. Default codec: the one that it looks like."""
        return self._ask(DECODE, {"request": dict(request), "codec": codec})

    def decode_response(self, response: Any, codec: Optional[str] = None) -> dict:
        """What a response says."""
        return self._ask(DECODE, {"response": response, "codec": codec})

    def encode_request(
        self, annotated: Mapping[str, Any], original: Mapping[str, Any], codec: Optional[str] = None
    ) -> dict:
        """The original with what `annotated` says otherwise."""
        return self._ask(ENCODE, {"annotated": dict(annotated), "original": dict(original), "codec": codec})

    def list_registrations(self, kinds: Optional[Sequence[str]] = None) -> List[dict]:
        """Everything that is registered with the host's relay, or what is of these kinds."""
        return self._ask(LIST, {"kinds": None if kinds is None else list(kinds)})

    def diagnostics(self) -> dict:
        """What became of the relay's events."""
        return self._ask(DIAGNOSTICS, {})

    def close_gate(self, name: str, kinds: Sequence[str], registration: str, reason: str) -> None:
        """Leaves a registration out, for that reason, until `open_gate` or the end of the plugin. The host keeps the gate."""
        about = {"kinds": list(kinds), "name": registration}
        self._ask(SET_GATE, {"name": name, "about": about, "reason": reason})

    def open_gate(self, name: str) -> None:
        """What the gate left out takes part again. One that isn't there is no error."""
        self._ask(SET_GATE, {"name": name})

    def log(self, level: str, message: str) -> None:
        """A line of the host's log: "debug", "info", "warn" or "error". Needs no capability."""
        self._link.log(level, message)

    def _ask(self, ask: int, asked: Dict[str, Any], scope: Optional[HostScope] = None) -> Any:
        if scope is not None:
            asked["scope"] = scope.id
        return self._link.ask(self._invoke, ask, asked)


def _scope(answer: Mapping[str, Any]) -> HostScope:
    return HostScope(answer["scope"], answer["propagation"])


def _failure(error: BaseException) -> Failure:
    message = text_of(error)
    if isinstance(error, PluginError):
        return Failure(type(error).__name__, message, *reason_of(error).split(".", 1))
    return Failure(type(error).__name__, message)
