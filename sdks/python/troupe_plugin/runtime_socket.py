"""The client of an actor's runtime socket, for Python processes that an actor starts. It needs nothing but Python.

    from troupe_plugin.runtime_socket import connect

    with connect() as actor:
        with actor.transaction() as tx:
            tx.query("INSERT INTO notes VALUES (?)", ["from Python"])
        actor.broadcast("changed", 1)
"""

import os
import socket
import struct
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from .cbor import decode_cbor, encode_cbor

VERSIONS = [1]
FRAME_BYTES = 8 * 1024 * 1024
Params = Union[Sequence[Any], Mapping[str, Any]]
Statement = Union[str, Tuple[str, Params]]


def _given(params: Params) -> Any:
    return dict(params) if isinstance(params, Mapping) else list(params)


class RuntimeSocketError(Exception):
    """What the actor answered, or why it isn't asked: `group` and `code` are stable."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error.get("message", ""))
        self.group = str(error.get("group", ""))
        self.code = str(error.get("code", ""))
        self.metadata = error.get("metadata")
        self.retryable = error.get("retryable") is True


class ConnectionLost(Exception):
    """The connection is gone: nobody knows what became of what was under way."""


class Transaction:
    """A transaction of the actor's database, as `RuntimeSocket.transaction` gives it."""

    def __init__(self, actor: "RuntimeSocket", lease: int) -> None:
        self._actor = actor
        self._lease = lease

    def query(self, sql: str, params: Params = ()) -> Dict[str, Any]:
        return self._actor._query(sql, params, {"lease": self._lease})

    def batch(self, statements: Sequence[Statement]) -> List[Dict[str, Any]]:
        return self._actor._batch(statements, {"lease": self._lease})


class RuntimeSocket:
    """A connection to the actor. One call at a time: it isn't for several threads."""

    def __init__(self, path: str, token: str, timeout: Optional[float] = None) -> None:
        """`timeout`: seconds that an answer may take; for ever, by default. Raises RuntimeSocketError, OSError."""
        self._last = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
            self._send({"kind": "hello", "versions": VERSIONS, "token": token})
            welcome = self._receive()
        except BaseException:
            self._socket.close()
            raise
        self.actor_id: str = welcome["actorId"]
        self.name: str = welcome["name"]
        self.key: List[str] = welcome["key"]

    def query(self, sql: str, params: Params = ()) -> Dict[str, Any]:
        """`{"columns", "rows", "changes", "lastInsertRowId"}`."""
        return self._query(sql, params, {})

    def batch(self, statements: Sequence[Statement]) -> List[Dict[str, Any]]:
        """Statements (texts, or pairs of text and parameters) in one go: all of them happen, or with the first that fails none."""
        return self._batch(statements, {})

    @contextmanager
    def transaction(self, timeout_ms: Optional[int] = None) -> Iterator[Transaction]:
        """Committed at the end of the block; rolled back when it raises, and when this process ends."""
        lease = self._ask("sql.begin", {} if timeout_ms is None else {"timeoutMs": timeout_ms})
        try:
            yield Transaction(self, lease)
        except BaseException:
            try:
                self._ask("sql.rollback", {"lease": lease})
            except (ConnectionLost, RuntimeSocketError, OSError):
                pass  # It is rolled back without a word as well.
            raise
        self._ask("sql.commit", {"lease": lease})

    def kv_get(self, key: Union[str, bytes]) -> Optional[bytes]:
        return self._ask("kv.get", {"key": key})

    def kv_put(self, key: Union[str, bytes], value: Union[str, bytes]) -> None:
        self._ask("kv.put", {"key": key, "value": value})

    def kv_delete(self, key: Union[str, bytes]) -> None:
        self._ask("kv.delete", {"key": key})

    def kv_list(
        self, prefix: Union[str, bytes], limit: Optional[int] = None, reverse: bool = False
    ) -> List[Tuple[bytes, bytes]]:
        fields: Dict[str, Any] = {"prefix": prefix, "reverse": reverse}
        if limit is not None:
            fields["limit"] = limit
        return [(key, value) for key, value in self._ask("kv.list", fields)]

    def state(self) -> Any:
        """A copy of the actor's state."""
        return self._ask("state.get", {})

    def set_state(self, name: str, value: Any) -> None:
        self._ask("state.set", {"property": name, "value": value})

    def delete_state(self, name: str) -> bool:
        return self._ask("state.delete", {"property": name})

    def broadcast(self, name: str, *args: Any) -> None:
        """Sends an event to the actor's clients."""
        self._ask("events.broadcast", {"name": name, "args": list(args)})

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RuntimeSocket":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _query(self, sql: str, params: Params, lease: Mapping[str, Any]) -> Dict[str, Any]:
        return self._ask("sql.query", {"sql": sql, "params": _given(params), **lease})

    def _batch(self, statements: Sequence[Statement], lease: Mapping[str, Any]) -> List[Dict[str, Any]]:
        given = [one if isinstance(one, str) else {"sql": one[0], "args": _given(one[1])} for one in statements]
        return self._ask("sql.batch", {"statements": given, **lease})

    def _ask(self, operation: str, fields: Mapping[str, Any]) -> Any:
        self._last += 1
        self._send({**fields, "kind": "request", "id": self._last, "do": operation})
        answer = self._receive()
        if answer.get("id") != self._last:
            self.close()
            raise ConnectionLost("an answer to nothing that was asked")
        return answer.get("value")

    def _send(self, message: Mapping[str, Any]) -> None:
        body = encode_cbor(dict(message))
        try:
            self._socket.sendall(struct.pack(">I", len(body)) + body)
        except BrokenPipeError:
            pass  # Why it was closed is there to be read.

    def _receive(self) -> Dict[str, Any]:
        (length,) = struct.unpack(">I", self._exactly(4))
        if length > FRAME_BYTES:
            raise ConnectionLost(f"a message of {length} bytes")
        message = decode_cbor(self._exactly(length))
        if message.get("error") is not None:
            raise RuntimeSocketError(message["error"])
        return message

    def _exactly(self, length: int) -> bytes:
        content = bytearray()
        while len(content) < length:
            chunk = self._socket.recv(min(65_536, length - len(content)))
            if not chunk:
                raise ConnectionLost("the actor has ended the connection")
            content += chunk
        return bytes(content)


def connect(timeout: Optional[float] = None) -> RuntimeSocket:
    """Connects to the actor that started this process with the variables of `c.runtimeSocket()`.

    Raises RuntimeSocketError `runtime_socket.not_given` where it didn't.
    """
    return RuntimeSocket(_variable("TROUPE_RUNTIME_SOCKET"), _variable("TROUPE_RUNTIME_TOKEN"), timeout)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if value:
        return value
    message = f"{name} isn't set: the actor that starts this process gives it what c.runtimeSocket() has"
    error = {"group": "runtime_socket", "code": "not_given", "message": message, "metadata": {"name": name}}
    raise RuntimeSocketError(error)
