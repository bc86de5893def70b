"""Code of a plugin's that its host calls while a question about it is open.

It runs on the thread that waits for the answer, one call after the other: no second thread is held, and what belongs to a thread
(a connection of sqlite3's, say) is as it was where the question was asked.
"""

import queue
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Mapping, Tuple

from .abort import Abort
from .json_values import decode_json, encode_json
from .plugin import PluginError, error_from, error_of

if TYPE_CHECKING:
    from .host import HostLink

#: Of a function that is called again and again, so many of its last errors are known again.
KNOWN_AGAIN = 16


@dataclass(frozen=True)
class CallContext:
    """What a tool or a model gets beside its arguments."""

    #: Set when nobody waits for it any more.
    abort: Abort
    #: The scope of the host's relay that it runs in, for `parent`; empty for none.
    scope: str


@dataclass(frozen=True)
class Invocation:
    """The host calls the code."""

    invoke: int
    payload: bytes
    context: CallContext


class Lent:
    """The questions about one piece of code. One thread at a time waits for them."""

    def __init__(self, link: "HostLink", code: Callable[[Any, CallContext], Any]):
        self._link = link
        self._code = code
        #: What is heard: an Invocation, or the number of a question with the fields of its answer.
        self._words: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
        #: Of questions that were answered while another was waited for.
        self._answers: Dict[int, Mapping[int, Any]] = {}
        self._raised: Deque[Tuple[PluginError, BaseException]] = deque(maxlen=KNOWN_AGAIN)

    def open(self, ask: int, asked: Mapping[str, Any], lends: bool = True) -> int:
        """Asks: the question's number. `lends`: the code may be called while it is open."""
        return self._link.open(0, ask, asked, self._words, lends)

    def wait(self, call: int) -> Any:
        """The answer to a question, or raises why there is none: what the code raised itself, where it is that."""
        while call not in self._answers:
            word = self._words.get()
            if isinstance(word, Invocation):
                self._run(word)
            else:
                number, answer = word
                self._answers[number] = answer
        said = self._answers.pop(call)
        if said[3] is not None:
            raise self._own(error_from(said[3]))
        return decode_json(said[2])

    def _run(self, invocation: Invocation) -> None:
        if invocation.context.abort.is_set():
            # Given up before its turn came.
            return
        try:
            value = encode_json(self._code(decode_json(invocation.payload), invocation.context))
            self._link.answer(invocation.invoke, value)
        except BaseException as error:  # noqa: BLE001 - it is the answer
            said = error_of(error)
            self._raised.append((error_from(said), error))
            self._link.answer(invocation.invoke, b"", said)

    def _own(self, heard: PluginError) -> BaseException:
        """What the host gives on is what it was told: the caller gets the error itself."""
        for said, error in self._raised:
            if (said.group, said.code, str(said)) == (heard.group, heard.code, str(heard)):
                return error
        return heard
