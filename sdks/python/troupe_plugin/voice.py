"""What one running actor says to its host: actor/v1, as far as actors in Python need it.

Order is the contract. While a function runs, what it says is kept; when it has returned, one Write with all that it changed
goes first, and events and the answer behind it, which the host holds back until the Write is on disk.
"""

import threading
from concurrent.futures import Future
from typing import Callable, Dict, Optional

from .json_values import decode_json, encode_json
from .plugin import error_of
from .wire import data, fields, number

# Fields of FromActor.
STARTED, STOPPED, WRITE, REPLY, CONNECTED, EVENT, ASK, END = 2, 3, 4, 5, 6, 7, 9, 11
# Spaces of rows.
STATE, KV = 1, 2
SLEEP, DESTROY = 1, 2


class Voice:
    """One actor's. All but `answered` and `lost` is called by the thread that runs the actor's functions."""

    def __init__(self, instance: int, send: Callable[[bytes], None]):
        self._instance = instance
        self._send = send
        self._said: list = []
        #: What is stored of each property, encoded.
        self._stored: Dict[str, bytes] = {}
        self._kv: Dict[bytes, Optional[bytes]] = {}
        self._asks: Dict[int, Future] = {}
        self._last_ask = 0
        self._lock = threading.Lock()

    def loaded(self, key: str, value: bytes) -> None:
        """A property is stored already."""
        self._stored[key] = value

    def event(self, name: str, args: bytes) -> None:
        self._said.append(data(EVENT, data(1, name) + data(2, args)))

    def end(self, destroy: bool) -> None:
        self._said.append(data(END, number(1, DESTROY if destroy else SLEEP)))

    def reply(self, call: int, value: bytes, error: Optional[Exception] = None) -> None:
        answer = number(1, call) + data(2, value)
        self._said.append(data(REPLY, answer if error is None else answer + data(3, error_of(error))))

    def started(self, error: Optional[Exception] = None) -> None:
        self._said.append(data(STARTED, b"" if error is None else data(1, error_of(error))))

    def stopped(self) -> None:
        self._said.append(data(STOPPED, b""))

    def connected(self, connection: int, error: Optional[Exception] = None) -> None:
        """Said at once: connections wait for no work."""
        answer = number(1, connection) + (b"" if error is None else data(2, error_of(error)))
        self._say(data(CONNECTED, answer))

    def flush(self, state: dict) -> None:
        """A function has returned: stores what it changed, then says the rest. Raises what can't be stored, and says nothing."""
        now = {key: encode_json(value) for key, value in state.items()}
        rows = b""
        for key, value in now.items():
            if self._stored.get(key) != value:
                rows += data(1, number(1, STATE) + data(2, key) + data(4, value))
        for key in self._stored.keys() - now.keys():
            rows += data(1, number(1, STATE) + data(2, key) + number(5, 1))
        for blob, value in self._kv.items():
            content = number(5, 1) if value is None else data(4, value)
            rows += data(1, number(1, KV) + data(3, blob) + content)
        self._stored, self._kv = now, {}
        said, self._said = self._said, []
        if rows:
            self._say(data(WRITE, rows))
        for each in said:
            self._say(each)

    def restored(self) -> dict:
        """The state as it is stored."""
        return {key: decode_json(value) for key, value in self._stored.items()}

    def forget(self) -> None:
        """What was said since the last flush isn't."""
        self._said, self._kv = [], {}

    def kv_get(self, key: bytes) -> Optional[bytes]:
        if key in self._kv:
            return self._kv[key]
        for row in self._ask(data(3, data(1, key))):
            found = {4: b"", 5: 0}
            found.update(fields(row))
            return None if found[5] else found[4]
        return None

    def kv_set(self, key: bytes, value: Optional[bytes]) -> None:
        self._kv[key] = value

    def answered(self, answer: bytes) -> None:
        """The host's answer to a question."""
        ask, error, rows = 0, None, []
        for name, value in fields(answer):
            if name == 1:
                ask = value
            elif name == 2:
                error = dict(fields(value)).get(3, b"").decode()
            elif name == 3:
                rows.append(value)
        with self._lock:
            waiting = self._asks.pop(ask, None)
        if waiting is None:
            return
        if error is None:
            waiting.set_result(rows)
        else:
            waiting.set_exception(RuntimeError(error))

    def lost(self) -> None:
        """Nobody answers any more."""
        with self._lock:
            waiting = list(self._asks.values())
            self._asks.clear()
        for each in waiting:
            each.set_exception(RuntimeError("the actor has ended"))

    def _ask(self, about: bytes):
        answer: Future = Future()
        with self._lock:
            self._last_ask += 1
            ask = self._last_ask
            self._asks[ask] = answer
        self._say(data(ASK, number(1, ask) + about))
        return answer.result()

    def _say(self, body: bytes) -> None:
        self._send(number(1, self._instance) + body)
