"""An actor's own queues and schedules, which its host keeps: they are as durable as its state."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from .json_values import decode_json, encode_json
from .wire import data, number

if TYPE_CHECKING:
    from .actor import ActorContext

# Field of Ask, and of Answer.
KEPT, VALUE = 12, 5
# KeptAsk.
SEND, RECEIVE, COMPLETE, RETRY, SCHEDULE, CANCEL, LIST, SET_CRON, DELETE_CRON, LIST_CRON = range(1, 11)


def ask(context: "ActorContext", what: int, asked: Mapping[str, Any]) -> Any:
    """What was changed before is stored together with what this changes."""
    context.voice.flush(context.state, joined=context.call)
    payload = encode_json({key: value for key, value in asked.items() if value is not None})
    said = number(1, what) + data(2, payload) + number(3, context.call)
    answer = context.voice.ask(data(KEPT, said))[VALUE]
    return decode_json(answer) if answer else None


@dataclass(frozen=True)
class Delivery:
    """How messages of a queue are delivered again. None: as it is for every queue."""

    #: After so many deliveries a message is a dead letter (10).
    max_attempts: Optional[int] = None
    #: The wait before the second delivery, in milliseconds (1000); it doubles with each.
    retry_delay_ms: Optional[int] = None
    #: A message that was taken to be completed, and isn't, comes again after so long (never).
    visibility_timeout_ms: Optional[int] = None

    def encoded(self) -> bytes:
        said = (self.max_attempts, self.retry_delay_ms, self.visibility_timeout_ms)
        # 0 says nothing.
        return b"".join(number(at, 0 if value is None else max(1, value)) for at, value in enumerate(said, 2))


@dataclass(frozen=True)
class Message:
    """A message of one of the actor's queues."""

    id: int
    #: The queue's name.
    name: str
    body: Any
    #: When it was sent: wall clock, milliseconds.
    created_at: int = 0
    #: Which delivery of it this is, from 1.
    attempts: int = 1
    _context: Optional["ActorContext"] = field(default=None, repr=False, compare=False)

    def complete(self, reply: Any = None) -> None:
        """Ends a message that was taken to be completed. Its sender gets the reply, if it waits."""
        ask(self._of(), COMPLETE, {"id": self.id, "name": self.name, "reply": reply})

    def retry(self, delay_ms: Optional[int] = None) -> None:
        """The message comes again: later each time, or after `delay_ms`."""
        ask(self._of(), RETRY, {"id": self.id, "name": self.name, "delay": delay_ms})

    def _of(self) -> "ActorContext":
        if self._context is None:
            raise ValueError("its function answers it: by what it returns, or raises")
        return self._context


class Queue:
    """`c.queue`. A queue that `Actor(queues=…)` names with a function isn't for `next`: its messages are brought to that."""

    def __init__(self, context: "ActorContext"):
        self._context = context

    def send(self, name: str, body: Any) -> int:
        """Puts a message into one of the actor's own queues: its id."""
        return ask(self._context, SEND, {"name": name, "body": body})

    def next(
        self, *names: str, timeout_ms: Optional[int] = None, completable: bool = False
    ) -> Optional[Message]:
        """The oldest message of these queues, of all without names; None when the time is over (0: when there is none now).

        It is handled when the call asks for the next one, or ends: then it goes, together with what was written. When the call
        fails it is handled too. With `completable` it is handled when `complete` was called on it, and comes again otherwise.
        """
        found = self.next_batch(*names, count=1, timeout_ms=timeout_ms, completable=completable)
        return found[0] if found else None

    def next_batch(
        self, *names: str, count: int = 1, timeout_ms: Optional[int] = None, completable: bool = False
    ) -> List[Message]:
        """As many as there are, `count` at the most; one at least, unless the time is over."""
        asked = {"names": list(names), "count": count, "timeout": timeout_ms, "completable": completable}
        return [self._message(each) for each in ask(self._context, RECEIVE, asked)]

    def _message(self, said: Mapping[str, Any]) -> Message:
        given = (said["id"], said["name"], said["body"], said["createdAt"], said["attempts"])
        return Message(*given, _context=self._context)


class Schedule:
    """`c.schedule`: calls of the actor's own actions, later, once. An action that fails then is in `list`, and isn't run again."""

    def __init__(self, context: "ActorContext"):
        self._context = context

    def after(self, delay_ms: int, action: str, *args: Any) -> str:
        """Calls an action in `delay_ms`, also when the actor sleeps until then: the call's id."""
        return self.set(action, args, delay_ms=delay_ms)

    def at(self, timestamp: int, action: str, *args: Any) -> str:
        """Calls an action at a time: wall clock, milliseconds."""
        return self.set(action, args, at=timestamp)

    def set(
        self,
        action: str,
        args: Sequence[Any] = (),
        at: Optional[int] = None,
        delay_ms: Optional[int] = None,
        name: Optional[str] = None,
        retry: Optional[Mapping[str, int]] = None,
    ) -> str:
        """The same with a name, which takes the place of the call that had it, and with `retry`, `{"maxAttempts": 3}`."""
        asked = {"action": action, "args": list(args), "at": at, "delayMs": delay_ms, "name": name}
        return ask(self._context, SCHEDULE, {**asked, "retry": None if retry is None else dict(retry)})

    def cancel(self, id: str) -> bool:
        """False when there is no such call, or it runs already."""
        return ask(self._context, CANCEL, {"id": id})

    def list(self) -> List[Dict[str, Any]]:
        """`{"id", "action", "args", "runAt"}` each, in the order of their times."""
        return ask(self._context, LIST, {})


class Cron:
    """`c.cron`: calls of the actor's own actions that come again and again, each under a name.

    Options: `overlap` ("skip", "queue", "allow"), `missed` ("one", "skip", "all"), `retry`, `maxHistory`.
    """

    def __init__(self, context: "ActorContext"):
        self._context = context

    def set(
        self, name: str, expression: str, action: str, *args: Any, timezone: str = "UTC", **options: Any
    ) -> None:
        """At the times of an expression: `"0 9 * * 1"`."""
        self._set(name, action, args, {"expression": expression, "timezone": timezone, **options})

    def every(self, name: str, interval_ms: int, action: str, *args: Any, **options: Any) -> None:
        """Each `interval_ms`."""
        self._set(name, action, args, {"interval": interval_ms, **options})

    def delete(self, name: str) -> bool:
        """False when there is none of that name."""
        return ask(self._context, DELETE_CRON, {"name": name})

    def list(self) -> List[Dict[str, Any]]:
        """`{"name", "action", "args", "nextRunAt", …}` each, in the order of their next times."""
        return ask(self._context, LIST_CRON, {})

    def _set(self, name: str, action: str, args: Sequence[Any], more: Mapping[str, Any]) -> None:
        ask(self._context, SET_CRON, {"name": name, "action": action, "args": list(args), **more})
