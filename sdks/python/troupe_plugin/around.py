"""Middleware that goes around a call: `context.next`, and streams. Every call of it has a thread, which waits.

Nothing is read ahead: a chunk is asked for when somebody reads it, and made when it is asked for.
"""

import queue
import threading
from contextlib import suppress
from typing import Any, Callable, Dict, Iterable, Iterator, Tuple

from .json_values import decode_json, encode_json
from .plugin import PluginError, error_from
from .wire import data, fields, number

# Fields of PluginFrame, and of HostFrame.
NEXT, CHUNK, CHUNK_END, CHUNK_CREDIT = 7, 8, 9, 10
NEXT_RESULT = 7

_OVER = object()


class Arounds:
    """Those of one session. `heard` is called by one thread, everything else by the calls' own."""

    def __init__(self, send: Callable[[bytes], None]):
        self._send = send
        #: What waits, by "result" or "word", the call and the number in it.
        self._waiting: Dict[Tuple[str, int, int], "queue.Queue[Any]"] = {}
        self._lock = threading.Lock()
        self._last = 0

    def heard(self, what: int, body: bytes) -> None:
        """NextResult, Chunk, ChunkEnd or ChunkCredit: whoever waits for it gets it."""
        said: Dict[int, Any] = {1: 0, 2: 0, 3: b"", 4: None, 5: 0}
        said.update(fields(body))
        kind = "result" if what == NEXT_RESULT else "word"
        with self._lock:
            waiting = self._waiting.get((kind, said[1], said[2]))
        if waiting is not None:
            waiting.put((what, said))

    def call(self, invoke: int, value: Any) -> Any:
        """The rest of the call: its answer, or an iterator of its chunks. Raises what it failed with."""
        with self._lock:
            self._last += 1
            name = self._last
            answer = self._waiting[("result", invoke, name)] = queue.Queue()
            words = self._waiting[("word", invoke, name)] = queue.Queue()
        try:
            asked = number(1, invoke) + number(2, name) + data(3, encode_json(value))
            self._send(data(NEXT, asked))
            got = answer.get()
        finally:
            self._forget("result", invoke, name)
        if got is _OVER:
            raise _revoked()
        _, said = got
        if said[4] is None and said[5]:
            return self._read(invoke, name, words)
        self._forget("word", invoke, name)
        if said[4] is not None:
            raise error_from(said[4])
        return decode_json(said[3])

    def opened(self, invoke: int) -> None:
        """The answer of a call will be a stream: its reader's words are kept from now on."""
        with self._lock:
            self._waiting[("word", invoke, 0)] = queue.Queue()

    def write(self, invoke: int, chunks: Iterable[Any], error: Callable[[BaseException], bytes]) -> None:
        """Writes the answer's chunks as they are asked for; returns when the stream is over."""
        stream, name = iter(chunks), number(1, invoke)
        words = self._waiting[("word", invoke, 0)]
        try:
            while True:
                got = words.get()
                if got is _OVER or got[1][3] == 0:
                    return
                for _ in range(got[1][3]):
                    try:
                        chunk = encode_json(next(stream))
                    except StopIteration:
                        self._send(data(CHUNK_END, name))
                        return
                    except BaseException as failure:  # noqa: BLE001 - it is how the stream ends
                        self._send(data(CHUNK_END, name + data(3, error(failure))))
                        return
                    self._send(data(CHUNK, name + data(3, chunk)))
        finally:
            self._forget("word", invoke, 0)
            # Nobody hears what a generator says that is given up.
            with suppress(BaseException):
                getattr(stream, "close", _nothing)()

    def end(self, invoke: int) -> None:
        """The call is over: whoever waits for something of it is told."""
        with self._lock:
            over = [waiting for key, waiting in self._waiting.items() if key[1] == invoke]
        for waiting in over:
            waiting.put(_OVER)

    def _read(self, invoke: int, name: int, words: "queue.Queue[Any]") -> Iterator[Any]:
        over = False
        credit = number(1, invoke) + number(2, name)
        try:
            while True:
                self._send(data(CHUNK_CREDIT, credit + number(3, 1)))
                got = words.get()
                if got is _OVER:
                    raise _revoked()
                what, said = got
                if what == CHUNK:
                    yield decode_json(said[3])
                    continue
                over = True
                if said[3]:
                    raise error_from(said[3])
                return
        finally:
            if not over:
                self._send(data(CHUNK_CREDIT, credit))
            self._forget("word", invoke, name)

    def _forget(self, kind: str, invoke: int, name: int) -> None:
        with self._lock:
            self._waiting.pop((kind, invoke, name), None)


def _nothing() -> None:
    """For an iterator that has no end of its own."""


def _revoked() -> PluginError:
    return PluginError("next_revoked", "The call is over: next can't be called any more", "plugin")
