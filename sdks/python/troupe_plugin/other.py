"""Other actors, as an actor's functions call them."""

from typing import TYPE_CHECKING, Any, Optional

from .json_values import decode_json, encode_json
from .wire import data, number

if TYPE_CHECKING:
    from .actor import ActorContext

# Field of Ask, and of Answer; ActorCall.Method.
ACTOR_CALL, VALUE = 8, 5
GET, GET_OR_CREATE = 1, 2


class Other:
    """One of the same registry, which the host calls when all that this actor wrote before is on disk. For a plugin whose host lets
    it call others."""

    def __init__(self, context: "ActorContext", name: str, key: tuple, existing: bool, timeout_ms: Optional[int]):
        self._context = context
        self._about = data(1, name) + b"".join(data(2, part) for part in key)
        self._about += number(4, GET if existing else GET_OR_CREATE)
        self._timeout = number(10, timeout_ms or 0)

    def call(self, action: str, *args: Any) -> Any:
        """Calls an action, and waits for what it gives."""
        return self._ask(data(7, action) + data(8, encode_json(args)))

    def send(self, queue: str, message: Any) -> None:
        """Puts a message into one of its queues; it is there when this returns."""
        self._ask(data(7, queue) + data(8, encode_json(message)) + data(9, b""))

    def id(self) -> str:
        """Finds it, or makes it: its id."""
        return self._ask(b"")

    def _ask(self, what: bytes) -> Any:
        context = self._context
        context.leave()
        _, _, _, scope, depth, chain = context.part
        asked = self._about + what + self._timeout + b"".join(data(12, link) for link in chain)
        asked += number(13, depth) + data(14, scope)
        answer = context.voice.ask(data(ACTOR_CALL, asked))
        return decode_json(answer[VALUE]) if answer[VALUE] else None
