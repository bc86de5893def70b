"""HTTP requests in an actor's own protocol. A body is whole before the author's function runs; the answer's body leaves as the host
gives credit, on a thread of its own, so that a slow client holds no actor up."""

import threading
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Tuple

from .limits import PLUGIN_REQUEST_BODY_BYTES
from .plugin import PluginError, error_of
from .voice import Voice
from .wire import data, fields, number

# Fields of ToActor, and of FromActor.
OPEN, ABORT, CHUNK, END, CREDIT = 20, 21, 22, 23, 24
ANSWER = 20
CHUNK_BYTES = 64 * 1024
#: So many chunks may be on their way here.
CREDITS = 4

Headers = List[Tuple[str, str]]


@dataclass
class Request:
    """A request; the address is as the actor sees it."""

    method: str = ""
    url: str = ""
    headers: Headers = field(default_factory=list)
    #: All of it, 8 MiB at the most.
    body: bytes = b""


@dataclass
class Response:
    """The answer to one."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)


class Requests:
    """Those of one actor. `heard` is called by one thread, which it never holds up."""

    def __init__(self, voice: Voice, run: Callable[[int, Request], None]):
        self._voice = voice
        self._run = run
        self._arriving: Dict[int, Request] = {}
        self._leaving: Dict[int, "_Leaving"] = {}

    def heard(self, what: int, body: bytes) -> None:
        said: Dict[int, object] = {1: 0, 2: b""}
        said.update(fields(body))
        name = said[1]
        if what == OPEN:
            self._open(name, body)
        elif what == CHUNK and name in self._arriving:
            self._chunk(name, said[2])
        elif what == END and name in self._arriving:
            self._run(name, self._arriving.pop(name))
        elif what == ABORT:
            self._arriving.pop(name, None)
            self._end(name)
        elif what == CREDIT and name in self._leaving:
            self._leaving[name].credit(said[2])

    def answer(self, name: int, response: Response) -> None:
        """Says it; by the thread that runs the actor's functions. Its body is sent by another."""
        headers = b"".join(data(3, data(1, key) + data(2, value)) for key, value in response.headers)
        leaving = self._leaving.get(name)
        if leaving is None:
            return
        # Here, and not on the thread that sends it: what isn't bytes is the request's error.
        leaving.body = response.body.encode() if isinstance(response.body, str) else bytes(memoryview(response.body))
        self._voice.say_later(data(ANSWER, number(1, name) + number(2, response.status) + headers))
        self._voice.then(lambda: threading.Thread(target=self._send, args=(name, leaving), daemon=True).start())

    def refuse(self, name: int, error: BaseException) -> None:
        """The request's answer is an error."""
        self._leaving.pop(name, None)
        self._voice.say_later(data(ANSWER, number(1, name) + data(4, error_of(error))))

    def end_all(self) -> None:
        """The actor is over."""
        for name in list(self._leaving):
            self._end(name)

    def _send(self, name: int, leaving: "_Leaving") -> None:
        leaving.send()
        self._leaving.pop(name, None)

    def _end(self, name: int) -> None:
        leaving = self._leaving.pop(name, None)
        if leaving is not None:
            leaving.end()

    def _open(self, name: int, body: bytes) -> None:
        request, has_body = Request(), False
        # The host may give credit for the answer before there is one.
        self._leaving[name] = _Leaving(self._voice, name)
        for each, value in fields(body):
            if each == 2:
                request.method = value.decode()
            elif each == 3:
                request.url = value.decode()
            elif each == 4:
                header = {1: b"", 2: b""}
                header.update(fields(value))
                request.headers.append((header[1].decode(), header[2].decode()))
            elif each == 6:
                has_body = bool(value)
        if not has_body:
            self._run(name, request)
            return
        self._arriving[name] = request
        self._voice.say(data(CREDIT, number(1, name) + number(2, CREDITS)))

    def _chunk(self, name: int, chunk: bytes) -> None:
        request = self._arriving[name]
        request.body += chunk
        if len(request.body) <= PLUGIN_REQUEST_BODY_BYTES:
            self._voice.say(data(CREDIT, number(1, name) + number(2, 1)))
            return
        del self._arriving[name], self._leaving[name]
        error = PluginError("body_too_long", "the body is longer than the plugin takes", "request")
        self._voice.say(data(ANSWER, number(1, name) + data(4, error_of(error) + number(7, 413))))


class _Leaving:
    """The body of an answer on its way to the host."""

    def __init__(self, voice: Voice, name: int):
        self._voice = voice
        self._name = number(1, name)
        self.body = b""
        self._credits = 0
        self._over = False
        self._changed = threading.Condition()

    def credit(self, chunks: int) -> None:
        with self._changed:
            self._credits += chunks
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()

    def send(self) -> None:
        for at in range(0, len(self.body), CHUNK_BYTES):
            with self._changed:
                self._changed.wait_for(lambda: self._credits > 0 or self._over)
                self._credits -= 1
            if self._over:
                return
            self._voice.say(data(CHUNK, self._name + data(2, self.body[at : at + CHUNK_BYTES])))
        self._voice.say(data(END, self._name))
