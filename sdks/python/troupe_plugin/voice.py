"""What one running actor says to its host: actor/v1, as far as actors in Python need it.

Order is the contract. While a function runs, what it says is kept; when it has returned, one Write with all that it changed
goes first, and events and the answer behind it, which the host holds back until the Write is on disk.
"""

import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence

from .json_values import checked_size, decode_json, encode_json
from .plugin import PluginError, error_from, error_of
from .wire import data, fields, number, varint

# Fields of FromActor.
STARTED, STOPPED, WRITE, REPLY, CONNECTED, EVENT, KICK, ASK, REST, END = 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
# Spaces of rows.
STATE, KV, CONNECTION = 1, 2, 4
SLEEP, DESTROY = 1, 2
# A field of Answer.
ROWS = 3


class Clients(Protocol):
    """Connections, or sockets, of the actor."""

    def states(self) -> Mapping[str, bytes]:
        """Of those that stay while the actor sleeps, by id, encoded. Raises what can't be."""

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Their states are as they are stored."""


class Voice:
    """One actor's. All but `answered` and `lost` is called by the thread that runs the actor's functions."""

    def __init__(self, instance: int, send: Callable[[bytes], None]):
        self._instance = instance
        self._send = send
        self._said: list = []
        #: What is stored of each property, encoded.
        self._stored: Dict[str, bytes] = {}
        self._kv: Dict[bytes, Optional[bytes]] = {}
        #: Those that stay while the actor sleeps.
        self.clients: List[Clients] = []
        #: What is stored of their states, by their ids, encoded.
        self._clients: Dict[str, bytes] = {}
        self._asks: Dict[int, Future] = {}
        self._last_ask = 0
        self._gone = False
        self._held = 0
        self._lock = threading.Lock()

    def loaded(self, key: str, value: bytes) -> None:
        """A property is stored already."""
        self._stored[key] = value

    def client_loaded(self, id: str, state: bytes) -> None:
        """A client's state is stored already."""
        self._clients[id] = state

    def client_gone(self, id: str) -> None:
        self._clients.pop(id, None)

    def event(self, name: str, args: bytes, connections: Sequence[int] = ()) -> None:
        to = data(3, b"".join(varint(each) for each in connections)) if connections else b""
        self.say_later(data(EVENT, data(1, name) + data(2, args) + to))

    def kick(self, connection: int, reason: str) -> None:
        self._said.append(data(KICK, number(1, connection) + data(2, reason)))

    def hold(self, held: bool) -> None:
        """Somebody keeps the actor awake, or does no longer; from any thread."""
        with self._lock:
            self._held += 1 if held else -1
            changed = self._held == (1 if held else 0)
            if changed:
                self.say(data(REST, number(1, 0 if held else 1)))

    def say_later(self, body: bytes) -> None:
        """Leaves behind what the function that runs has written. Raises ValueRefused for what no frame holds."""
        checked_size(body)
        self._said.append(body)

    def then(self, run: Callable[[], None]) -> None:
        """Called when all that was said so far has left."""
        self._said.append(run)

    def end(self, destroy: bool) -> None:
        self._said.append(data(END, number(1, DESTROY if destroy else SLEEP)))

    def reply(self, call: int, value: bytes, error: Optional[BaseException] = None) -> None:
        answer = number(1, call) + data(2, value)
        self._said.append(data(REPLY, answer if error is None else answer + data(3, error_of(error))))

    def started(self, error: Optional[BaseException] = None) -> None:
        self._said.append(data(STARTED, b"" if error is None else data(1, error_of(error))))

    def stopped(self) -> None:
        self._said.append(data(STOPPED, b""))

    def connected(self, connection: int, error: Optional[BaseException] = None) -> None:
        """Said at once: connections wait for no work. A client that the host can keep while the actor sleeps stays."""
        answer = number(1, connection) + (number(3, 1) if error is None else data(2, error_of(error)))
        self.say(data(CONNECTED, answer))

    def flush(self, state: dict, joined: int = 0) -> None:
        """A function has returned: stores what it changed, then says the rest. Raises what can't be stored, and says nothing.

        `joined`: the call whose answer, or whose question, comes with it: what that changes of what the host keeps for the actor is
        stored in the same batch.
        """
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
        states = {id: state for clients in self.clients for id, state in clients.states().items()}
        for client, value in states.items():
            if self._clients.get(client) != value:
                rows += data(1, number(1, CONNECTION) + data(2, client) + data(4, value))
        checked_size(rows)
        self._stored, self._kv = now, {}
        self._clients.update(states)
        said, self._said = self._said, []
        if rows:
            self.say(data(WRITE, rows + number(4, joined)))
        for each in said:
            if callable(each):
                each()
            else:
                self.say(each)

    def restored(self) -> dict:
        """The state as it is stored; those of clients are so again."""
        for clients in self.clients:
            clients.restore(self._clients)
        return {key: decode_json(value) for key, value in self._stored.items()}

    def forget(self) -> None:
        """What was said since the last flush isn't."""
        self._said, self._kv = [], {}

    def kv_get(self, key: bytes) -> Optional[bytes]:
        if key in self._kv:
            return self._kv[key]
        return next((value for _, value in self._rows(data(3, data(1, key)))), None)

    def kv_list(self, asked: bytes) -> list:
        """What is stored: whoever asks has said what it wrote before."""
        return self._rows(data(4, asked))

    def _rows(self, about: bytes) -> list:
        rows = []
        for row in self.ask(about)[ROWS]:
            found: Dict[int, Any] = {3: b"", 4: b"", 5: 0}
            found.update(fields(row))
            if not found[5]:
                rows.append((found[3], found[4]))
        return rows

    def kv_set(self, key: bytes, value: Optional[bytes]) -> None:
        self._kv[key] = value

    def answered(self, answer: bytes) -> None:
        """The host's answer to a question."""
        said: Dict[int, Any] = {1: 0, 2: None, 4: b"", 5: b""}
        rows: List[bytes] = []
        for name, value in fields(answer):
            if name == ROWS:
                rows.append(value)
            else:
                said[name] = value
        with self._lock:
            waiting = self._asks.pop(said[1], None)
        if waiting is None:
            return
        if said[2] is None:
            waiting.set_result({**said, ROWS: rows})
        else:
            waiting.set_exception(error_from(said[2]))

    def lost(self) -> None:
        """Nobody answers any more."""
        with self._lock:
            self._gone = True
            waiting = list(self._asks.values())
            self._asks.clear()
        for each in waiting:
            each.set_exception(_stopped())

    def next_number(self) -> int:
        """One that the actor hasn't used."""
        with self._lock:
            self._last_ask += 1
            return self._last_ask

    def ask(self, about: bytes) -> Dict[int, Any]:
        """Asks the host, and waits: the fields of its Answer. Raises what it was refused with."""
        answer: Future = Future()
        ask = self.next_number()
        with self._lock:
            if self._gone:
                raise _stopped()
            self._asks[ask] = answer
        self.say(data(ASK, number(1, ask) + about))
        return answer.result()

    def say(self, body: bytes) -> None:
        """Says it now."""
        self._send(number(1, self._instance) + body)


def _stopped() -> PluginError:
    return PluginError("stopped", "The actor has ended", "actor")
