"""A plugin as its author writes it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, Tuple

from .json_values import decode_json, encode_json
from .values import ValueRefused
from .wire import data, fields, number

if TYPE_CHECKING:
    from .actor import Actor
    from .host import Host

# Kinds of the relay's table, and their numbers on the wire. Gates aren't there: they answer in the turn in which they are asked.
KINDS = {
    "subscriber": 1,
    "event_metadata_injector": 2,
    "tool_sanitize_request_guardrail": 10,
    "tool_sanitize_response_guardrail": 11,
    "tool_conditional_execution_guardrail": 12,
    "tool_request_intercept": 13,
    "tool_execution_intercept": 14,
    "llm_sanitize_request_guardrail": 20,
    "llm_sanitize_response_guardrail": 21,
    "llm_conditional_execution_guardrail": 22,
    "llm_request_intercept": 23,
    "llm_execution_intercept": 24,
    "llm_stream_execution_intercept": 25,
    "mark_sanitize_guardrail": 30,
    "scope_sanitize_start_guardrail": 31,
    "scope_sanitize_end_guardrail": 32,
    "action_conditional_execution_guardrail": 40,
}

#: Go around the rest of a call, which is `context.next`.
AROUND = (14, 24, 25)
#: Its `next` gives an iterator of chunks, and so must the middleware.
STREAM = 25


#: Characters of an error's text that travel.
ERROR_TEXT = 65_536


class PluginError(Exception):
    """An error that its caller can read. Raises TypeError for a code or a group that is no text."""

    def __init__(self, code: str, message: str, group: str = "user", metadata: Any = None):
        for name, given in (("code", code), ("group", group)):
            if not isinstance(given, str):
                raise TypeError(f"the {name} of a PluginError is a {type(given).__name__}, not a str")
        super().__init__(message)
        self.group = group
        self.code = code
        self.metadata = metadata


class GuardrailRejected(PluginError):
    """The call isn't to happen, for this reason."""

    def __init__(self, reason: str):
        super().__init__("guardrail_rejected", reason, "relay", {"reason": reason})


@dataclass(frozen=True)
class Context:
    """What a middleware gets beside its payload."""

    #: The scope of the host that the call runs in: its propagation value, JSON text; empty for none.
    scope: str
    #: What is left of the time, in milliseconds; 0 for no limit.
    timeout_ms: int
    #: The rest of the call, for kinds that go around one: gets its input, waits, and gives what it gave. For streams that is an
    #: iterator of chunks, and the middleware gives one too: a generator. None for other kinds.
    next: Optional[Callable[[Any], Any]] = None
    #: What the plugin may ask of the host's relay, in this call and its scope.
    host: "Host" = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Middleware:
    """One middleware. `handle(payload, context)` runs on a thread of its own and may block."""

    kind: str
    name: str
    handle: Callable[[Any, Context], Any]
    #: Lower ones run first.
    priority: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind {self.kind!r} that a plugin can have")


@dataclass(frozen=True)
class Plugin:
    """What a worker contributes."""

    name: str
    version: str = "0.0.0"
    middleware: Sequence[Middleware] = field(default_factory=tuple)
    #: Programs name them with `pluginActor`.
    actors: Sequence["Actor"] = field(default_factory=tuple)
    #: Gets the configuration, or None, before anything else. What it raises is why the plugin can't run.
    start: Optional[Callable[[Any], None]] = None
    #: Gets the host, once, on a thread, when it has taken the plugin in: from now on it may be asked.
    ready: Optional[Callable[["Host"], None]] = None


def error_of(error: BaseException) -> bytes:
    """An error as it travels. What isn't a PluginError is for the host's log, and not for callers outside.

    Whatever an author's function raises is one: a library that calls `sys.exit` fails that call, and neither the thread nor the
    plugin, which serves others, ends with it. It never raises, whatever the error's own functions do: who waits for the call would
    hear nothing.
    """
    name = _name_of(error)
    if name is None:
        return data(1, "internal") + data(2, "error") + data(3, told_of(error))
    metadata = _tried(lambda: _metadata(error.metadata), b"")
    return data(1, name[0]) + data(2, name[1]) + data(3, text_of(error)) + data(4, metadata) + number(6, 1)


def told_of(error: BaseException) -> str:
    """An error for a log: its type, and what it says. It never raises."""
    return f"{_tried(lambda: _plain(type(error).__name__), 'error')}: {text_of(error)}"


def text_of(error: BaseException) -> str:
    """What it says. It never raises."""
    return _tried(lambda: _plain(str(error)), "an error that can't say what it is")


def reason_of(error: BaseException) -> str:
    """Why a connection or a socket ends: `group.code`. It never raises."""
    return ".".join(_name_of(error) or ("internal", "error"))


def _name_of(error: BaseException) -> Optional[Tuple[str, str]]:
    """The group and the code of one that its caller can read. A subclass may have left them out, or set others since."""
    if not isinstance(error, PluginError):
        return None
    return _tried(lambda: (_plain(error.group), _plain(error.code)), None)


def _tried(read: Callable[[], Any], otherwise: Any) -> Any:
    """Whatever reading it raises, also SystemExit: that is an author's code, which the plugin doesn't end with."""
    try:
        return read()
    except BaseException:  # noqa: BLE001 - an error about an error would tell nobody anything
        return otherwise


def _plain(text: str) -> str:
    """The text, not too long, without a subclass's own ways. Raises TypeError for what is none."""
    return str.encode(text, "utf8", "replace").decode()[:ERROR_TEXT]


def _metadata(metadata: Any) -> bytes:
    return b"" if metadata is None else encode_json(metadata)


def error_from(body: bytes) -> PluginError:
    """An error of the host's."""
    said = {1: b"", 2: b"", 3: b"", 4: b""}
    said.update(fields(body))
    try:
        metadata = decode_json(said[4]) if said[4] else None
    except ValueRefused:
        metadata = None
    return PluginError(said[2].decode(), said[3].decode(), said[1].decode(), metadata)
