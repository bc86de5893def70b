"""The plugin's side of plugin/v1, whatever carries it: frames in, frames out, payloads in JSON."""

import json
from concurrent.futures import Executor
from typing import Any, Callable, Dict

from .actors import Actors, declaration
from .around import CHUNK, CHUNK_CREDIT, CHUNK_END, NEXT_RESULT, Arounds
from .host import RESULT, Host, HostLink
from .json_values import decode_json, encode_json
from .plugin import AROUND, KINDS, STREAM, Context, Plugin, PluginError, error_of, told_of
from .wire import data, fields, number, zigzag

VERSION = 1
JSON = 2

# Fields of HostFrame and PluginFrame.
HELLO, ACTOR, INVOKE, CANCEL, PING, HOST_RESULT = 1, 2, 3, 4, 5, 11
READY, FAILED, FROM_ACTOR, PONG = 1, 2, 3, 5
#: The kind of an Invoke that calls the code of a question, which its name is the number of.
OWN_CODE = 0


class Session:
    """Answers a host. `send` takes frames, from any thread. Actors run on `threads`, and middleware on `around`: an action waits for it."""

    def __init__(self, plugin: Plugin, send: Callable[[bytes], None], threads: Executor, around: Executor):
        self._plugin = plugin
        self._send = send
        self._threads = threads
        self._around = around
        self._by_kind = {(KINDS[one.kind], one.name): one for one in plugin.middleware}
        self._arounds = Arounds(send)
        self._link = HostLink(send)
        by_name = {actor.name: actor for actor in plugin.actors}
        self._actors = Actors(by_name, lambda said: send(data(FROM_ACTOR, said)), threads, self._link)

    def heard(self, frame: bytes) -> None:
        """A frame of the host's. What a newer host may say beside these is skipped."""
        for kind, body in fields(frame):
            if kind == HELLO:
                self._greet(body)
            elif kind == ACTOR:
                self._actors.heard(body)
            elif kind == INVOKE:
                self._called(body)
            elif kind == CANCEL:
                invoke = dict(fields(body)).get(1, 0)
                self._arounds.end(invoke)
                self._link.cancelled(invoke)
            elif kind in (NEXT_RESULT, CHUNK, CHUNK_END, CHUNK_CREDIT):
                self._arounds.heard(kind, body)
            elif kind == HOST_RESULT:
                self._link.heard(body)
            elif kind == PING:
                self._send(data(PONG, body))

    def _greet(self, hello: bytes) -> None:
        versions, config = [], b""
        for name, value in fields(hello):
            if name == 1:
                versions.extend(_packed(value) if isinstance(value, bytes) else [value])
            elif name == 3:
                config = value
        try:
            if VERSION not in versions:
                raise PluginError("version_unsupported", f"This plugin speaks version {VERSION}", "plugin")
            if self._plugin.start is not None:
                self._plugin.start(json.loads(config) if config else None)
            ready = self._declared()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is why the plugin can't run
            self._send(data(FAILED, data(1, error_of(error))))
            return
        self._send(data(READY, ready))
        if self._plugin.ready is not None:
            self._threads.submit(self._ready, self._plugin.ready)

    def _declared(self) -> bytes:
        said = number(1, VERSION) + number(2, JSON) + data(3, self._plugin.name) + data(4, self._plugin.version)
        for actor in self._plugin.actors:
            said += data(5, declaration(actor))
        for one in self._plugin.middleware:
            said += data(6, number(1, KINDS[one.kind]) + data(2, one.name) + zigzag(3, one.priority))
        return said

    def _ready(self, ready: Callable[[Host], None]) -> None:
        try:
            ready(Host(self._link, 0))
        except BaseException as error:  # noqa: BLE001 - nobody waits for it
            self._link.log("error", f"ready: {told_of(error)}")

    def _called(self, invoke: bytes) -> None:
        call = {1: 0, 2: b"", 3: OWN_CODE, 4: b"null", 5: 0, 6: b""}
        call.update(fields(invoke))
        if call[3] == OWN_CODE:
            self._link.invoked(call[1], call[2].decode(), call[4], call[6].decode())
        else:
            self._around.submit(self._invoke, call)

    def _invoke(self, call: Dict[int, Any]) -> None:
        answer = number(1, call[1])
        chunks = None
        try:
            value = self._handle(call)
            if call[3] == STREAM:
                chunks = iter(value)
                self._arounds.opened(call[1])
                answer += number(4, 1)
            else:
                answer += data(2, encode_json(value))
        except BaseException as error:  # noqa: BLE001 - it is the answer
            answer += data(3, error_of(error))
        self._send(data(RESULT, answer))
        if chunks is not None:
            self._arounds.write(call[1], chunks, error_of)

    def _handle(self, call):
        middleware = self._by_kind.get((call[3], call[2].decode()))
        if middleware is None:
            raise PluginError("undeclared", f"There is no middleware {call[2].decode()!r}", "plugin")
        rest = (lambda value: self._arounds.call(call[1], value)) if call[3] in AROUND else None
        return middleware.handle(decode_json(call[4]), Context(call[6].decode(), call[5], rest, Host(self._link, call[1])))


def _packed(content: bytes):
    """Numbers one after the other: the versions are small, one byte each."""
    return list(content)
